#!/bin/bash
# Keeps AWS from giving the pods' addresses to anything by itself, such as the
# primary address of a new worker's ENI. Explicit assignment, the registrar's,
# goes on to work. The blocks hold every range and address of the examples.
set -euo pipefail

N3=subnet-0aaaaaaaaaaaaaaa3
N4=subnet-0aaaaaaaaaaaaaaa4
N6=subnet-0aaaaaaaaaaaaaaa6

reserve() {
  aws ec2 create-subnet-cidr-reservation --reservation-type explicit \
    --description "Multus pods" --subnet-id "$1" --cidr "$2"
}
reserve "$N3" 10.0.3.64/26
reserve "$N3" 10.0.3.128/28
reserve "$N4" 10.0.4.96/27
reserve "$N6" 10.0.6.96/27
# Where the subnet has an IPv6 block; the examples' 2001:db8 is yours to replace.
reserve "$N3" 2001:db8:0:3:1::/80
