// The codec "zstd" of Zarr, for reading.
import { decompress } from "fzstd";

export default class Zstd {
  static codecId = "zstd";
  kind = "bytes_to_bytes" as const;

  static fromConfig(): Zstd {
    return new Zstd();
  }

  encode(): never {
    throw new Error("this page only reads");
  }

  decode(bytes: Uint8Array): Uint8Array {
    return decompress(bytes);
  }
}
