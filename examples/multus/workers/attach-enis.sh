#!/bin/bash
# User data of a Multus worker on Amazon Linux 2023, before kubelet starts: makes
# one ENI for each Multus subnet of the worker's zone and attaches it. The tag is
# part of the creation, so the ENI has it before it is attached: without it the
# Amazon VPC CNI takes the ENI over within a minute.
set -euo pipefail

SUBNETS="subnet-0aaaaaaaaaaaaaaa3 subnet-0aaaaaaaaaaaaaaa4 subnet-0aaaaaaaaaaaaaaa6"
SECURITY_GROUP="sg-0aaaaaaaaaaaaaaaa"
# What the kernel calls device index 1, 2, 3; look at a worker of your type.
INTERFACES="ens6 ens7 ens8"

# The interfaces must be up, and have no address of their own: amazon-ec2-net-utils
# would copy the pods' addresses onto them, and answer instead of the pods.
cat >/etc/systemd/network/10-multus.network <<EOF
[Match]
Name=$INTERFACES
[Link]
ActivationPolicy=always-up
RequiredForOnline=no
[Network]
DHCP=no
LinkLocalAddressing=no
IPv6AcceptRA=no
EOF
for interface in $INTERFACES; do
  systemctl mask "policy-routes@$interface.service" "refresh-policy-routes@$interface.timer"
done
networkctl reload

imds=http://169.254.169.254/latest
token=$(curl -sSf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' "$imds/api/token")
metadata() { curl -sSf -H "X-aws-ec2-metadata-token: $token" "$imds/meta-data/$1"; }
instance=$(metadata instance-id)
AWS_DEFAULT_REGION=$(metadata placement/region)
export AWS_DEFAULT_REGION

index=0
for subnet in $SUBNETS; do
  index=$((index + 1))
  eni=$(aws ec2 create-network-interface --subnet-id "$subnet" --groups "$SECURITY_GROUP" \
    --description "Multus of $instance" \
    --tag-specifications 'ResourceType=network-interface,Tags=[{Key=node.k8s.amazonaws.com/no_manage,Value=true}]' \
    --query NetworkInterface.NetworkInterfaceId --output text)
  attachment=$(aws ec2 attach-network-interface --network-interface-id "$eni" \
    --instance-id "$instance" --device-index "$index" --query AttachmentId --output text)
  aws ec2 modify-network-interface-attribute --network-interface-id "$eni" \
    --attachment "AttachmentId=$attachment,DeleteOnTermination=true"
done
