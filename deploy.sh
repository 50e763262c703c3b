#!/usr/bin/env bash
# Deploys the pipeline to AWS with SAM.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly PIPELINE_STACK=aurora-restore
readonly PREREQUISITES_STACK=aurora-restore-prerequisites
readonly TEMPLATES=(template.yaml infrastructure/*.yaml)

usage() {
    cat <<'HELP'
Usage: ./deploy.sh COMMAND [--env dev|staging|prod] [--region REGION] [--yes]

Commands
  bootstrap  deploys the prerequisites: code bucket, KMS key, secrets, topic, DBA role; once per account and Region
  deploy     builds the packages, checks the templates, deploys the pipeline
  destroy    deletes the pipeline's stack; the prerequisites, with key and secrets, stay

Options
  --env      section of samconfig.toml, where the stacks' parameters are (default dev)
  --region   the target Region (default: AWS_REGION, AWS_DEFAULT_REGION, or the AWS CLI's)
  --yes      asks nothing; without it every change set is shown and confirmed
  --help     this text

Needs sam and aws on PATH, and credentials in the environment or a profile (AWS_PROFILE).
HELP
}

fail() {
    echo "deploy.sh: $*" >&2
    exit 1
}

command='' environment=dev region='' yes=false
while (($#)); do
    case $1 in
        bootstrap | deploy | destroy) command=$1 ;;
        --env | --region)
            (($# > 1)) || fail "$1 needs a value (see --help)"
            if [[ $1 == --env ]]; then environment=$2; else region=$2; fi
            shift
            ;;
        --yes) yes=true ;;
        --help | -h) usage && exit 0 ;;
        *) fail "unknown argument: $1 (see --help)" ;;
    esac
    shift
done
[[ -n $command ]] || { usage >&2; exit 2; }
[[ $environment =~ ^(dev|staging|prod)$ ]] || fail "no environment $environment: dev, staging or prod"

command -v aws >/dev/null || fail "aws is not on PATH: install the AWS CLI"
command -v sam >/dev/null || fail "sam is not on PATH: install the AWS SAM CLI, for example with pip install aws-sam-cli"
region=${region:-${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}}
[[ -n $region ]] || fail "no Region: pass --region or set AWS_REGION"
export AWS_REGION=$region AWS_DEFAULT_REGION=$region
account=$(aws sts get-caller-identity --query Account --output text) ||
    fail "no valid AWS credentials: set AWS_PROFILE, or log in with aws sso login"
echo "account $account, Region $region, environment $environment"

sam_deploy() {
    local section=$1
    shift
    local confirm=--confirm-changeset
    if $yes; then confirm=--no-confirm-changeset; fi
    sam deploy --config-file "$PWD/samconfig.toml" --config-env "$section" --region "$region" "$confirm" "$@"
}

stack_exists() {
    aws cloudformation describe-stacks --stack-name "$1" >/dev/null 2>&1
}

validate() {
    local template
    for template in "${TEMPLATES[@]}"; do
        sam validate --lint --region "$region" --template-file "$template"
    done
}

bootstrap() {
    sam_deploy "$environment-prerequisites"
    echo "Next: put real values into the secrets aurora-restore/$environment/*, then ./deploy.sh deploy"
}

deploy() {
    stack_exists "$PREREQUISITES_STACK" ||
        fail "no stack $PREREQUISITES_STACK in $region: run ./deploy.sh bootstrap --env $environment first"
    ./build_lambda_packages.sh
    validate
    sam_deploy "$environment" --s3-bucket "aurora-restore-lambda-code-$account-$region"
}

destroy() {
    stack_exists "$PIPELINE_STACK" || fail "no stack $PIPELINE_STACK in $region"
    if ! $yes; then
        read -r -p "Delete stack $PIPELINE_STACK of account $account in $region? Type its name: " answer
        [[ $answer == "$PIPELINE_STACK" ]] || fail "nothing was deleted"
    fi
    aws cloudformation delete-stack --stack-name "$PIPELINE_STACK"
    aws cloudformation wait stack-delete-complete --stack-name "$PIPELINE_STACK" ||
        fail "the stack is not deleted, its events say why; tables go only with TableDeletionProtection=false"
    echo "deleted; what DataDeletionPolicy=Retain keeps, and the prerequisites, are still there"
}

"$command"
