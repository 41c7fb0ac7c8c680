# syntax=docker/dockerfile:1
# rawhttp with the welcome site. For a site of your own, put its folder in the place of /srv:
#   docker run --read-only --cap-drop ALL -p 8080:8080 -v ./site:/srv:ro rawhttp
# Tags are what was known when this was written; Dependabot adds the digests, which then hold.

FROM node:26-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
# Nobody's install scripts run, and the image's own Node builds.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json rolldown.config.ts ./
COPY core core
COPY plugins plugins
RUN npm run --silent build

FROM node:26-bookworm-slim AS libraries
WORKDIR /libraries
COPY package.json package-lock.json ./
# Optional ones too are left out, since TypeScript is among them, as a peer that valibot may do without.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

# No shell, no package manager: Node, its libraries, certificates, and a user without rights.
FROM gcr.io/distroless/nodejs26-debian13:nonroot
LABEL org.opencontainers.image.title="rawhttp" \
      org.opencontainers.image.description="An HTTP server for Node, written straight on TCP" \
      org.opencontainers.image.licenses="MIT"
ENV NODE_ENV=production
# At the root, so that a config anywhere can import 'rawhttp'.
COPY --from=libraries /libraries/node_modules /node_modules
COPY package.json /node_modules/rawhttp/package.json
COPY bin /node_modules/rawhttp/bin
COPY --from=build /build/dist /node_modules/rawhttp/dist
WORKDIR /srv
COPY rawhttp.config.ts ./
COPY sites sites
USER 65532:65532
EXPOSE 8080
STOPSIGNAL SIGTERM
# Any answer shows life, the 503 of /livez excepted.
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s --retries=3 \
  CMD ["/nodejs/bin/node", "-e", "fetch('http://127.0.0.1:8080/livez', { redirect: 'manual' }).then(({ status }) => process.exit(status < 500 ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/nodejs/bin/node", "/node_modules/rawhttp/bin/rawhttp.cjs"]
CMD ["start", "--host", "0.0.0.0"]
