# syntax=docker/dockerfile:1
# The bot with the built-in model on the pure-Rust backend. For a GPU see README, "On your GPU".
FROM rust:1.95-bookworm AS build
WORKDIR /build
COPY . .
RUN cargo build --release --locked

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 kokodoko \
 && install -d -o kokodoko /data
COPY --from=build /build/target/release/kokodoko /usr/local/bin/kokodoko
USER kokodoko
ENV KOKODOKO_WEB__BIND=0.0.0.0:8080 KOKODOKO_QUIZ__DATABASE=/data/kokodoko.sqlite
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["kokodoko"]
CMD ["serve"]
