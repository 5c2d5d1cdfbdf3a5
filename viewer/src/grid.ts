// Cells of a grid, and which of another grid's cells they lie in.
import type { Grid } from "./source";

export function isPeriodic(grid: Grid): boolean {
  return grid.columns * grid.step > 360 - grid.step / 2;
}

/** Row and column of the cell at a place; null outside the grid. */
export function cellAt(grid: Grid, latitude: number, longitude: number): [number, number] | null {
  const row = Math.round((grid.north - latitude) / grid.step);
  const turned = (((longitude - grid.west + grid.step / 2) % 360) + 360) % 360;
  const column = Math.floor(turned / grid.step);
  if (Math.abs(latitude) > 90 || row < 0 || row >= grid.rows) return null;
  if (column < grid.columns) return [row, column];
  return isPeriodic(grid) ? [row, column % grid.columns] : null;
}

export function latitudeOf(grid: Grid, row: number): number {
  return grid.north - row * grid.step;
}

export function longitudeOf(grid: Grid, column: number): number {
  return grid.west + column * grid.step;
}

/** A finer field less the coarse cells that its cells lie in; NaN where either has none. */
export function difference(fine: Float32Array, grid: Grid, coarse: Float32Array, other: Grid): Float32Array {
  const found = new Float32Array(fine.length).fill(NaN);
  const columns = Array.from({ length: grid.columns }, (_, j) => cellAt(other, 0.5 * (other.north + latitudeOf(other, other.rows - 1)), longitudeOf(grid, j))?.[1] ?? -1); // prettier-ignore
  for (let i = 0; i < grid.rows; i++) {
    const row = cellAt(other, latitudeOf(grid, i), longitudeOf(other, 0))?.[0] ?? -1;
    if (row < 0) continue;
    for (let j = 0; j < grid.columns; j++) {
      const at = i * grid.columns + j;
      if (columns[j] >= 0) found[at] = fine[at] - coarse[row * other.columns + columns[j]];
    }
  }
  return found;
}
