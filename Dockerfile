# syntax=docker/dockerfile:1
# The bot with the built-in model. On the processor:   docker build -t kokodoko .
# On an NVIDIA GPU:                                     docker build -t kokodoko:cuda --target cuda .
# BASE may be any Debian or Ubuntu with glibc 2.36 or newer, NVIDIA's CUDA runtime images among them
# (--build-arg BASE=nvidia/cuda:…-runtime-ubuntu24.04). ONNX Runtime's wheels bring CUDA's libraries with them.
ARG BASE=debian:bookworm-slim

FROM rust:1.95-bookworm AS build
WORKDIR /build
COPY . .
RUN --mount=type=cache,id=kokodoko-cargo,target=/usr/local/cargo/registry \
    --mount=type=cache,id=kokodoko-target,target=/build/target \
    cargo build --release --locked && install -D target/release/kokodoko /out/kokodoko

# Beside ONNX Runtime lie NVIDIA's libraries, where the program looks for them.
FROM python:3.13-slim-bookworm AS onnxruntime
ARG ONNXRUNTIME="onnxruntime-gpu[cuda,cudnn]==1.31.1"
RUN pip install --no-cache-dir --target /opt/ort "$ONNXRUNTIME" \
 && cd /opt/ort/onnxruntime/capi \
 && ln -s libonnxruntime.so.* libonnxruntime.so

FROM ${BASE} AS base
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 kokodoko \
 && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin kokodoko \
 && install -d -o 10001 -g 10001 -m 0750 /data
COPY --from=build /out/kokodoko /usr/local/bin/kokodoko
USER 10001:10001
WORKDIR /data
ENV KOKODOKO_WEB__BIND=0.0.0.0:8080 \
    KOKODOKO_QUIZ__DATABASE=/data/kokodoko.sqlite \
    KOKODOKO_MODELS__FOLDER=/data/models \
    KOKODOKO_COLLECT__DATA_FOLDER=/data/images \
    KOKODOKO_GIFTS__FOLDER=/data/gifts \
    KOKODOKO_TRAIN__FOLDER=/data/training \
    XDG_CACHE_HOME=/data/cache
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["kokodoko", "health"]
ENTRYPOINT ["kokodoko"]
CMD ["serve"]

FROM base AS cuda
COPY --from=onnxruntime /opt/ort /opt/ort
ENV ORT_DYLIB_PATH=/opt/ort/onnxruntime/capi/libonnxruntime.so \
    KOKODOKO_INFER__BACKEND=cuda \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility

FROM base
