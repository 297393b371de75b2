"""The contents of W&B runs that were written offline: python read_wandb.py <folder>

Its files are LevelDB's log of protobuf records,
https://github.com/google/leveldb/blob/main/doc/log_format.md, after a head of 7 bytes.
"""

import glob
import json
import struct
import sys

from wandb.proto import wandb_internal_pb2 as pb

BLOCK, HEAD = 32768, 7


def records(data):
    place, parts = HEAD, b""
    while place + HEAD <= len(data):
        if BLOCK - place % BLOCK < HEAD:
            place += BLOCK - place % BLOCK
            continue
        _, length, kind = struct.unpack_from("<IHB", data, place)
        parts += data[place + HEAD : place + HEAD + length]
        place += HEAD + length
        if kind in (1, 4):  # whole, last
            yield parts
            parts = b""


runs = []
for file in sorted(glob.glob(f"{sys.argv[1]}/wandb/offline-run-*/*.wandb")):
    run = {"history": []}
    for data in records(open(file, "rb").read()):
        record = pb.Record()
        record.ParseFromString(data)
        kind = record.WhichOneof("record_type")
        if kind == "run":
            run |= {"id": record.run.run_id, "project": record.run.project, "group": record.run.run_group}
        if kind == "history":
            rows = {item.key or item.nested_key[0]: item.value_json for item in record.history.item}
            run["history"].append({key: json.loads(value) for key, value in rows.items() if not key.startswith("_")})
    runs.append(run)
# NaN and infinities by name, because JSON lacks them.
print(json.dumps(json.loads(json.dumps(runs), parse_constant=str)))
