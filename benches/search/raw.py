"""The raw results: one JSON file, a run a line, written after each run, so that a search of hours can be stopped."""

import contextlib
import fcntl
import json
import os
import pathlib


def key(record):
    return record["workload"], record["contender"], record["seed"]


class Raw:
    """The file. Several drivers may add to one: each addition reads it again, under a lock."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    @contextlib.contextmanager
    def locked(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        folder = os.open(self.path.parent, os.O_RDONLY)  # locked itself, so that no lock file is left beside results
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def read(self):
        """(facts of the machine, {(workload, contender, seed): record})."""
        if not self.path.exists():
            return {}, {}
        found = json.loads(self.path.read_text())
        return found["machine"], {key(record): record for record in found["runs"]}

    def add(self, facts, record):
        with self.locked():
            _, records = self.read()
            records[key(record)] = record
            self.write(facts, records)

    def write(self, facts, records):
        lines = ",\n".join(json.dumps(records[name]) for name in sorted(records))
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text(f'{{"machine": {json.dumps(facts)},\n"runs": [\n{lines}\n]}}\n')
        os.replace(temporary, self.path)
