"""Tables for measuring drift, and other tools that look at them.

    drift_tables.py make OUT ROWS SEED      writes a Parquet file of 20 columns, a million rows a row group
    drift_tables.py numpy REFERENCE CURRENT     the same scores by numpy, scipy and pyarrow
    drift_tables.py evidently REFERENCE CURRENT     Evidently's preset of data drift
"""

import sys

STEP = 1_000_000


def make(out, rows, seed):
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(int(seed))
    words = np.array([f"value-{at:02}" for at in range(20)])
    writer = None
    for begin in range(0, int(rows), STEP):
        count = min(STEP, int(rows) - begin)
        columns = {f"normal{at}": random.normal(size=count) for at in range(12)}
        columns |= {f"lognormal{at}": random.lognormal(size=count) for at in range(2)}
        columns |= {f"whole{at}": random.integers(0, 1000, count) for at in range(2)}
        columns |= {f"text{at}": pa.array(words[random.integers(0, 20, count)]) for at in range(4)}
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(out, table.schema)
        writer.write_table(table)
    writer.close()


def by_numpy(reference, current):
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq
    from scipy import stats

    before, now = pq.read_table(reference), pq.read_table(current)
    for name in before.column_names:
        one, other = before[name].combine_chunks(), now[name].combine_chunks()
        if pa.types.is_string(one.type):
            counts = [dict(zip(*(part.to_pylist() for part in side.value_counts().flatten()))) for side in (one, other)]
            names = sorted(set(counts[0]) | set(counts[1]))
            tested = stats.chi2_contingency([[side.get(name, 0) for name in names] for side in counts], correction=False)
            print(name, tested.pvalue)
        else:
            x, y = one.to_numpy(), other.to_numpy()
            tested = stats.ks_2samp(x, y, method="asymp")
            print(name, tested.pvalue, stats.wasserstein_distance(x, y) / np.std(x))


def by_evidently(reference, current):
    import pandas as pd
    from evidently import Dataset, Report
    from evidently.presets import DataDriftPreset

    before, now = (Dataset.from_pandas(pd.read_parquet(path)) for path in (reference, current))
    Report([DataDriftPreset()]).run(now, before).dict()


if __name__ == "__main__":
    {"make": make, "numpy": by_numpy, "evidently": by_evidently}[sys.argv[1]](*sys.argv[2:])
