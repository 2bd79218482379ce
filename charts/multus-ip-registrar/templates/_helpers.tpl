{{/* Names are at most 43 bytes, so that those with a suffix stay below 63. */}}
{{- define "mir.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 43 | trimSuffix "-" -}}
{{- end }}

{{- define "mir.fullname" -}}
{{- $name := include "mir.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 43 | trimSuffix "-" -}}
{{- else if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" .Release.Name) -}}
{{- fail (printf "a Service cannot be named after the release %q, which must begin with a letter and have no dot: choose another name, or set fullnameOverride" .Release.Name) -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 43 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 43 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{/*
The configuration's name is fixed. API servers call webhooks in the order of these
names: this one must come after istio… and linkerd…, whose proxies it looks at, and
before pod-identity-webhook, which gives its container the credentials. And there
should be one of it in a cluster: Helm refuses a second release that has it.
*/}}
{{- define "mir.configuration" -}}
multus-ip-registrar
{{- end }}

{{- define "mir.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "mir.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end }}

{{/* The account of the test, and its role: of its own, where accounts are made. */}}
{{- define "mir.testAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- include "mir.fullname" . }}-test
{{- else -}}
{{- include "mir.serviceAccount" . -}}
{{- end -}}
{{- end }}

{{/* Labels and annotations of what exists only while the test runs. */}}
{{- define "mir.testMetadata" -}}
labels:
  {{- include "mir.commonLabels" . | nindent 2 }}
  app.kubernetes.io/component: test
annotations:
  helm.sh/hook: test
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}

{{/* The Secret of the certificate, whoever fills it. */}}
{{- define "mir.certSecret" -}}
{{- if eq .Values.certificates.mode "secret" -}}
{{- .Values.certificates.secret.name -}}
{{- else -}}
{{- include "mir.fullname" . }}-webhook-certs
{{- end -}}
{{- end }}

{{/* What selects everything of the release, the test too. */}}
{{- define "mir.releaseLabels" -}}
app.kubernetes.io/name: {{ include "mir.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* What selects the webhook's pods. */}}
{{- define "mir.selectorLabels" -}}
{{ include "mir.releaseLabels" . }}
app.kubernetes.io/component: webhook
{{- end }}

{{- define "mir.commonLabels" -}}
{{ include "mir.releaseLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: multus-ip-registrar
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "mir.labels" -}}
{{ include "mir.commonLabels" . }}
app.kubernetes.io/component: webhook
{{- end }}

{{/* An image's reference: registry/repository@digest, or :tag. Takes root and image. */}}
{{- define "mir.image" -}}
{{- $repository := .image.repository -}}
{{- with .root.Values.imageRegistry -}}
{{- $repository = printf "%s/%s" (trimSuffix "/" .) $repository -}}
{{- end -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default .root.Chart.AppVersion .image.tag) -}}
{{- end -}}
{{- end }}

{{/*
An argument NAME=value for a flag that reads a list with commas, kept from Kubernetes,
which would replace $(VAR) in it.
*/}}
{{- define "mir.listItem" -}}
{{- $item := replace "$(" "$$(" . -}}
{{- if or (contains "," $item) (contains "\"" $item) -}}
{{- printf "\"%s\"" (replace "\"" "\"\"" $item) -}}
{{- else -}}
{{- $item -}}
{{- end -}}
{{- end }}

{{/* The arguments of the webhook. */}}
{{- define "mir.args" -}}
{{- $v := .Values -}}
- serve
- --address=:{{ $v.ports.webhook }}
- --ops-address=:{{ $v.ports.ops }}
- --log-level={{ $v.logLevel }}
{{- if eq $v.certificates.mode "self" }}
- --certificates=self
- --namespace={{ .Release.Namespace }}
- --service={{ include "mir.fullname" . }}
- --secret={{ include "mir.certSecret" . }}
- --webhook-configuration={{ include "mir.configuration" . }}
{{- else }}
- --certificates=files
- --cert-dir=/etc/webhook/certs
{{- end }}
- --image={{ include "mir.image" (dict "root" . "image" $v.registrar.image) }}
{{- with $v.registrar.image.pullPolicy }}
- --image-pull-policy={{ . }}
{{- end }}
- --native-sidecars={{ $v.registrar.nativeSidecars }}
{{- with $v.registrar.logLevel }}
- --registrar-log-level={{ . }}
{{- end }}
{{- with $v.registrar.release }}
- --registrar-release={{ . }}
{{- end }}
{{- $resources := list }}
{{- range $name := list "cpu" "memory" }}
{{- with index $v.registrar.resources $name }}
{{- $resources = append $resources (printf "%s=%v" $name .) }}
{{- end }}
{{- end }}
{{- with $resources }}
- --registrar-resources={{ join "," . }}
{{- end }}
{{- range $name, $value := $v.registrar.env }}
- {{ printf "--registrar-env=%s" (include "mir.listItem" (printf "%s=%v" $name $value)) | quote }}
{{- end }}
{{- end }}

{{/* Restricted Pod Security, and a root file system that nobody writes to. */}}
{{- define "mir.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "mir.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end }}
