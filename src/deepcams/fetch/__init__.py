"""Downloads: CAMS, GEOS-CF, OpenAQ and the published dataset. Only this room talks to the network."""
