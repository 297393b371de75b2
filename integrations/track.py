"""
Sends the metrics of a run to Trackio or Weights & Biases by their own clients: python track.py trackio|wandb < lines.

`distillery track` starts it. The first line on standard input is the destination: {"project", "group", "folder",
"online", "config"}; each further line has the values of one step: {"seq", "stage", "step", "seconds", "values"}. Each
stage becomes a run of the tracker with its own steps; all are in one group. The `seq` of each logged line is written to
standard output, and {"done": true} at the end.

Unless "online" is true, nothing leaves this machine: W&B works offline, Trackio in its local store.
"""

import json
import os
import sys

# Settings that would send data elsewhere, or look for updates.
ONLINE = ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL", "TRACKIO_WEBHOOK_URL", "TRACKIO_BUCKET_ID", "TRACKIO_DATASET_ID")
OFFLINE = {
    "WANDB_MODE": "offline", "WANDB_ERROR_REPORTING": "false", "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
}  # fmt: skip


class Trackio:
    def __init__(self, to):
        import trackio

        self.module, self.to, self.run = trackio, to, None

    def open(self, stage):
        self.run = self.module.init(
            project=self.to["project"], name=f"{self.to['group']}-{stage}", group=self.to["group"],
            config=self.to["config"], resume="allow", embed=False, auto_log_gpu=False, auto_log_cpu=False,
        )  # fmt: skip

    def log(self, line):
        self.run.log(line["values"], step=line["step"])

    def close(self):
        self.run.finish()


class Wandb:
    def __init__(self, to):
        import wandb

        self.module, self.to, self.run = wandb, to, None

    def open(self, stage):
        name = f"{self.to['group']}-{stage}"
        self.run = self.module.init(
            project=self.to["project"], name=name, id=name, group=self.to["group"], job_type=stage,
            config=self.to["config"], dir=self.to["folder"], resume="allow",
            mode="online" if self.to["online"] else "offline",
            settings=self.module.Settings(
                console="off", disable_code=True, disable_git=True, x_disable_stats=True, x_save_requirements=False,
            ),
        )  # fmt: skip
        # Not W&B's own step, which only grows: a resumed run starts again at an earlier one.
        self.run.define_metric("update")
        self.run.define_metric("*", step_metric="update")

    def log(self, line):
        self.run.log({"update": line["step"], **line["values"], "_timestamp": line["seconds"]})

    def close(self):
        self.run.finish()


def main():
    # The clients' output goes to standard error.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    lines = open(0, encoding="utf-8", newline="\n")
    to = json.loads(lines.readline())
    if not to["online"]:
        for name in ONLINE:
            os.environ.pop(name, None)
        os.environ.update(OFFLINE)
    tracker = {"trackio": Trackio, "wandb": Wandb}[sys.argv[1]](to)
    stage = None
    for text in lines:
        line = json.loads(text)
        line["values"] = {name: float(value) for name, value in line["values"].items()}
        if line["stage"] != stage:
            if stage is not None:
                tracker.close()
            stage = line["stage"]
            tracker.open(stage)
        tracker.log(line)
        print(json.dumps({"seq": line["seq"]}), file=answers, flush=True)
    if stage is not None:
        tracker.close()
    print(json.dumps({"done": True}), file=answers, flush=True)


if __name__ == "__main__":
    main()
