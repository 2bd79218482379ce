# Copyright The multus-ip-registrar Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Two images, each the static program and the CA roots, nothing else:
#
#   docker buildx build --target registrar --platform linux/amd64,linux/arm64 .
#   docker buildx build --target webhook   --platform linux/amd64,linux/arm64 .
#
# docs/images.md tells how to build, to push and to verify them.

# BUILDER has Go, a shell and the CA roots. Name it by digest for a release.
ARG BUILDER=golang:1.26
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=""

# The compiler runs on the machine that builds, whatever it builds for.
FROM --platform=$BUILDPLATFORM ${BUILDER} AS build
WORKDIR /src
COPY go.mod go.sum ./
COPY cmd cmd
COPY internal internal
COPY pkg pkg
RUN umask 022 && mkdir -p /image/etc/ssl/certs && \
    cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ && \
    chmod 644 /image/etc/ssl/certs/ca-certificates.crt
ARG VERSION
# The caches lie where they are mounted below, whoever the builder's user is.
ENV CGO_ENABLED=0 GOMODCACHE=/go/pkg/mod GOCACHE=/go/build \
    LDFLAGS="-s -w -X github.com/multus-ip-registrar/multus-ip-registrar/internal/cli.release=$VERSION"

# Not every builder hands the arguments of one stage to the next: each names its own.
FROM build AS build-registrar
ARG GOPROXY
ARG GOFLAGS
ARG TARGETOS=linux
ARG TARGETARCH
ARG SOURCE_DATE_EPOCH=0
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/go/build \
    umask 022 && GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -ldflags "$LDFLAGS" -o /image/registrar ./cmd/registrar && \
    find /image -exec touch -d "@$SOURCE_DATE_EPOCH" {} +

FROM build AS build-webhook
ARG GOPROXY
ARG GOFLAGS
ARG TARGETOS=linux
ARG TARGETARCH
ARG SOURCE_DATE_EPOCH=0
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/go/build \
    umask 022 && GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -ldflags "$LDFLAGS" -o /image/webhook ./cmd/webhook && \
    find /image -exec touch -d "@$SOURCE_DATE_EPOCH" {} +

FROM scratch AS webhook
COPY --from=build-webhook /image/ /
ARG VERSION
ARG REVISION
ARG SOURCE
LABEL org.opencontainers.image.title="multus-ip-registrar webhook" \
      org.opencontainers.image.description="Admission webhook that adds the multus-ip-registrar to pods that opt in" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.source="$SOURCE"
USER 65532:65532
ENTRYPOINT ["/webhook"]

# The last target is the one that a build without --target makes.
FROM scratch AS registrar
COPY --from=build-registrar /image/ /
ARG VERSION
ARG REVISION
ARG SOURCE
LABEL org.opencontainers.image.title="multus-ip-registrar" \
      org.opencontainers.image.description="Makes the Multus addresses of a pod routable in an AWS VPC" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.source="$SOURCE"
USER 65532:65532
ENTRYPOINT ["/registrar"]
