#!/usr/bin/env bash
# Everything that wants an NVIDIA GPU, in one go: that CUDA answers as the processor does, the table of backends, training
# steps, and PyTorch beside both. Results and logs go to one folder; without a GPU the rows say "not measured".
#
#   benches/gpu.sh FOLDER [PART...]        parts: check infer answers train torch (default: all)
#
# ORT_DYLIB_PATH names libonnxruntime.so of PyPI's onnxruntime-gpu; with PyPI's tensorrt beside it TensorRT is measured, too
# (give it time to compile: INFER_LIMIT=1800). KOKODOKO, BACKENDS, ANSWERS and TRAINING name programs
# that are built already (cargo build --release --features cuda --bin kokodoko --bench backends --bench answers --bench
# training); without them they are built. PyTorch's rows need a python3 with torch and torchvision.
set -uo pipefail
cd "$(dirname "$0")/.."

out=$(mkdir -p "${1:?usage: benches/gpu.sh FOLDER [PART...]}" && cd "$1" && pwd)
shift
parts=" ${*:-check infer answers train torch} "
seconds=${SECONDS_A_ROW:-1}

built() { # NAME...: the path of what cargo builds
  cargo build --release --features cuda "$@" --message-format=json | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -1
}
KOKODOKO=${KOKODOKO:-$(built --bin kokodoko)}
gpu=$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null || true)
cuda=() && [ -n "$gpu" ] && cuda=(--cuda)
# PyPI's tensorrt beside onnxruntime, or the system's.
site=$(dirname "${ORT_DYLIB_PATH:-/}")/../..
if [ -n "$gpu" ] && { ls "$site"/tensorrt_libs/libnvinfer.so.* || ldconfig -p | grep -q libnvinfer.so; } >/dev/null 2>&1; then
  cuda+=(--tensorrt)
else
  echo "TensorRT: none: its rows say \"not measured\""
fi
echo "GPU: ${gpu:-none: rows of CUDA say \"not measured\"}" | tee "$out/gpu.txt"
lscpu | grep -E '^(Model name|CPU\(s\))' | tee -a "$out/gpu.txt"

step() { # SECONDS NAME COMMAND...: runs with a limit, output to NAME.log and the screen
  local limit=$1 name=$2 begin=$SECONDS
  shift 2
  timeout "$limit" "$@" > >(tee "$out/$name.log") 2> >(tee "$out/$name.err" >&2)
  echo "-- $name: status $?, $((SECONDS - begin)) s"
}

answers() { # BACKEND PRECISION GRAPHS: the answers of one backend as JSON
  KOKODOKO_INFER__BACKEND=$1 KOKODOKO_INFER__PRECISION=$2 KOKODOKO_INFER__CUDA_GRAPHS=$3 \
    "$KOKODOKO" predict --json --top 7 "$out"/photos/*.jpg
}

check() {
  "$KOKODOKO" world render --out "$out/photos" --count 35 --seed 2024 >/dev/null
  answers tract f32 true >"$out/answers.tract.json"
  answers onnxruntime f32 true >"$out/answers.cpu.json"
  for how in "f32 false" "f32 true" "tf32 true"; do
    read -r precision graphs <<<"$how"
    answers cuda "$precision" "$graphs" >"$out/answers.$precision.$graphs.json"
    python3 - "$out/answers.cpu.json" "$out/answers.$precision.$graphs.json" "$precision graphs=$graphs" <<'PYTHON'
import json, sys
read = lambda path: [{a["area"]: a["probability"] for a in photo["areas"]} for photo in json.load(open(path))]
a, b = read(sys.argv[1]), read(sys.argv[2])
worst = max(abs(x[area] - y[area]) for x, y in zip(a, b) for area in x)
same = sum(max(x, key=x.get) == max(y, key=y.get) for x, y in zip(a, b))
print(f"cuda {sys.argv[3]}: {len(a)} photos, same best area {same}, largest difference of a probability {worst:.2e}")
PYTHON
  done
  KOKODOKO_INFER__BACKEND=cuda "$KOKODOKO" check-config
  echo "-- with the GPU hidden (must fail)"
  CUDA_VISIBLE_DEVICES='' KOKODOKO_INFER__BACKEND=cuda "$KOKODOKO" check-config >/dev/null && echo "WRONG: it ran"
  rm -rf "$out/photos"
}
export -f check answers && export KOKODOKO out

if [[ $parts == *" check "* ]]; then
  if [ -n "$gpu" ]; then step 100 check bash -c check; else echo "check: not measured"; fi
fi
if [[ $parts == *" infer "* ]]; then
  step "${INFER_LIMIT:-240}" backends "${BACKENDS:-$(built --bench backends)}" --out "$out" --seconds "$seconds" "${cuda[@]}" \
    ${ORT_DYLIB_PATH:+--library "$ORT_DYLIB_PATH"}
fi
if [[ $parts == *" answers "* ]]; then
  if [ -n "$gpu" ]; then
    for batch in 8 32; do
      step "${ANSWERS_LIMIT:-120}" "answers-$batch" "${ANSWERS:=$(built --bench answers)}" --cuda --batch "$batch" --photos "$out/answers" \
        --rounds 3 --seconds "$seconds" --library "${ORT_DYLIB_PATH:?names the library of onnxruntime-gpu}"
    done
    rm -rf "$out/answers"
  else
    echo "answers on CUDA: not measured"
  fi
fi
if [[ $parts == *" train "* ]]; then
  if [ -n "$gpu" ]; then
    cases=(--case resnet18@128x16 --case resnet18@128x64 --case resnet50@224x8 --case resnet50@224x64)
    step "${TRAIN_LIMIT:-240}" training "${TRAINING:=$(built --bench training)}" --device cuda "${cases[@]}"
    step "${TRAIN_LIMIT:-240}" training-mixed "$TRAINING" --device cuda --mixed "${cases[@]}"
  else
    echo "training on CUDA: not measured"
  fi
fi
if [[ $parts == *" torch "* ]]; then
  if [ -n "$gpu" ]; then
    step 120 torch_infer python3 benches/peer/torch_infer.py --out "$out" --seconds "$seconds"
    step 120 torch_train python3 benches/peer/torch_train.py --out "$out"
  else
    echo "PyTorch on CUDA: not measured"
  fi
fi
