"""All figures in one go: `python -m benchmarks`. Each is a program of its own too."""

from __future__ import annotations

import subprocess
import sys

FIGURES = {
    "Flips under load, beside nginx and HAProxy": "flips",
    "DescribeInstances at 1,000 instances, beside moto": "describe_instances",
    "1,000 instances in nine zones": "scale",
    "Controllers at up to 100,000 instances": "controllers",
    "A zone lost under load": "zone_loss",
    "Bakes": "bake",
    "Deploy, rollback, a killed instance": "shipping",
    "A million datapoints": "metrics",
    "Memory of `paved up`": "memory",
    "From a clone to the first service": "first_service",
}


def main() -> None:
    failed = False
    for title, module in FIGURES.items():
        print(f"\n{title}\n", flush=True)
        failed |= subprocess.run([sys.executable, "-m", f"benchmarks.{module}"], check=False).returncode != 0
    sys.exit(failed)


if __name__ == "__main__":
    main()
