# Workers with Multus ENIs for one zone: launch template, managed node group,
# subnet CIDR reservations. The ENIs are made by user data (attach-enis.sh), tagged
# on creation. Repeat the node group for each zone with its own subnets.

variable "cluster_name" {
  type    = string
  default = "telco"
}

variable "node_role_arn" {
  description = "Role of the workers, with iam/worker-enis.json beside the EKS policies."
  type        = string
}

variable "worker_subnet_id" {
  description = "Subnet of the workers' primary ENIs, in the zone of the Multus subnets."
  type        = string
}

locals {
  multus_subnets = {
    n3 = "subnet-0aaaaaaaaaaaaaaa3"
    n4 = "subnet-0aaaaaaaaaaaaaaa4"
    n6 = "subnet-0aaaaaaaaaaaaaaa6"
  }

  # The blocks hold every range and address of the examples.
  reservations = [
    { subnet = "n3", cidr = "10.0.3.64/26" },
    { subnet = "n3", cidr = "10.0.3.128/28" },
    { subnet = "n4", cidr = "10.0.4.96/27" },
    { subnet = "n6", cidr = "10.0.6.96/27" },
    { subnet = "n3", cidr = "2001:db8:0:3:1::/80" },
  ]
}

resource "aws_ec2_subnet_cidr_reservation" "pods" {
  for_each = { for r in local.reservations : r.cidr => r }

  cidr_block       = each.value.cidr
  reservation_type = "explicit"
  subnet_id        = local.multus_subnets[each.value.subnet]
  description      = "Multus pods"
}

resource "aws_launch_template" "multus" {
  name_prefix   = "multus-"
  instance_type = "m6i.4xlarge"

  metadata_options {
    http_tokens = "required"
    # A pod's own network namespace is one hop more. With 1, each registrar calls
    # DescribeNetworkInterfaces instead, at start and every 4 minutes.
    http_put_response_hop_limit = 2
  }

  # Managed node groups take user data as MIME parts, and add their own.
  user_data = base64encode(join("\n", [
    "MIME-Version: 1.0",
    "Content-Type: multipart/mixed; boundary=\"BOUNDARY\"",
    "",
    "--BOUNDARY",
    "Content-Type: text/x-shellscript; charset=\"us-ascii\"",
    "",
    file("${path.module}/attach-enis.sh"),
    "--BOUNDARY--",
  ]))
}

resource "aws_eks_node_group" "multus_a" {
  cluster_name    = var.cluster_name
  node_group_name = "multus-a"
  node_role_arn   = var.node_role_arn
  subnet_ids      = [var.worker_subnet_id]
  ami_type        = "AL2023_x86_64_STANDARD"
  labels          = { multus = "true" }

  scaling_config {
    desired_size = 2
    min_size     = 2
    max_size     = 4
  }

  launch_template {
    id      = aws_launch_template.multus.id
    version = aws_launch_template.multus.latest_version
  }

  # A worker that starts before the reservations may take a pod's address.
  depends_on = [aws_ec2_subnet_cidr_reservation.pods]
}
