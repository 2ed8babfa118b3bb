using System.Text;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace MeshTrust.Install;

/// <summary>Which tool a step belongs to.</summary>
internal enum InstallTool
{
    Any,
    Helm,
    Istioctl,
}

/// <summary>One step of the installation: a command, or a comment if it has no words.</summary>
/// <param name="Tool">Who runs it.</param>
/// <param name="Words">The command. The placeholder <see cref="InstallScript.Pilot"/> in it is the address of a primary's gateway.</param>
/// <param name="Comment">What it does.</param>
/// <param name="AwaitPilotOf">First wait for the address of the gateway in the cluster of this context.</param>
internal sealed record InstallStep(InstallTool Tool, IReadOnlyList<string> Words, string? Comment = null, string? AwaitPilotOf = null);

/// <summary>The commands of an installation in order, as a script for POSIX shells and for PowerShell.</summary>
internal static class InstallScript
{
    /// <summary>A part of a word that the script replaces with the gateway's address.</summary>
    internal const string Pilot = "\u0001";

    internal static IEnumerable<InstallStep> Steps(
        MeshTopology topology, IReadOnlyDictionary<ClusterName, string> contexts, IReadOnlyDictionary<ClusterName, string> pilots,
        IstioChoice istio)
    {
        var ns = topology.Trust.Namespace;
        // A primary first: its remote clusters need the address of its gateway.
        foreach (var cluster in topology.Clusters.OrderBy(c => c.Primary is { } p && p != c.Name))
        {
            var (name, context) = (cluster.Name.Value, contexts[cluster.Name]);
            var values = new IstioValues(topology, cluster, istio.Revision, null);
            var primary = values.IsRemote && !pilots.ContainsKey(cluster.Primary!) ? contexts[cluster.Primary!] : null;
            IReadOnlyList<string> address = primary is null ? [] : ["--set", $"global.remotePilotAddress={Pilot}"];
            var role = values.IsRemote ? $"remote cluster of {cluster.Primary}" : "primary cluster";
            yield return new(InstallTool.Any, [], $"{name}: {role}"
                + (cluster.Network is null ? "" : $" in network {cluster.Network}"));
            yield return Chart("istio-base", "base", "base.yaml");
            yield return Chart("istiod", "istiod", "istiod.yaml", [.. address, "--wait"], primary);
            if (values.IsAmbient)
            {
                yield return Chart("istio-cni", "cni", "cni.yaml", ["--wait"]);
                yield return Chart("ztunnel", "ztunnel", "ztunnel.yaml", ["--wait"]);
            }

            IReadOnlyList<string> value = primary is null ? [] : ["--set", $"values.global.remotePilotAddress={Pilot}"];
            yield return Istioctl("istio-operator.yaml", value, primary);
            if (values.NeedsGateway && !values.IsAmbient)
            {
                yield return Chart(IstioValues.GatewayName, "gateway", "eastwest.yaml", values.IsRemote ? [] : ["--wait"]);
                yield return Istioctl("eastwest-operator.yaml", []);
            }

            if (values.NeedsGateway && values.IsAmbient) yield return Apply("eastwest-gateway.yaml");
            else if (values.HasNetworks && !values.IsRemote) yield return Apply("expose-services.yaml");
            if (values.HasRemotes) yield return Apply("expose-istiod.yaml");

            InstallStep Chart(string release, string chart, string file, IReadOnlyList<string>? more = null, string? pilotOf = null) => new(
                InstallTool.Helm,
                [
                    "helm", "upgrade", "--install", Release(release), $"istio/{chart}", "--kube-context", context, "--namespace", ns,
                    "--create-namespace", "--version", istio.Version, "--values", $"{name}/{file}", .. more ?? [],
                ],
                AwaitPilotOf: pilotOf);

            InstallStep Istioctl(string file, IReadOnlyList<string> more, string? pilotOf = null) => new(
                InstallTool.Istioctl, ["istioctl", "install", "--context", context, "-y", "-f", $"{name}/{file}", .. more],
                AwaitPilotOf: pilotOf);

            InstallStep Apply(string file) => new(InstallTool.Any, ["kubectl", "--context", context, "apply", "-f", $"{name}/{file}"]);
        }

        // With a revision, several istiods may be installed side by side.
        string Release(string release) => release == "istiod" && istio.Revision.Length > 0 ? $"istiod-{istio.Revision}" : release;
    }

    internal static string Shell(IReadOnlyList<InstallStep> steps, string ns, IstioChoice istio, string kubeconfig) => Render(
        $$"""
        #!/bin/sh
        # Installs Istio {{istio.Version}} in all clusters: ./install.sh, or ./install.sh istioctl.
        # Run PushSecrets and RemoteSecrets before it, and Verify after it. It can be run again.
        set -eu
        export KUBECONFIG={{ContextExport.ShellQuote(kubeconfig)}}
        cd "$(dirname "$0")"
        tool="${1:-helm}"

        # Waits until the east-west gateway of a primary cluster has an address.
        pilot_of() {
          tries=0
          while [ "$tries" -lt 60 ]; do
            address=$(kubectl --context "$1" -n {{ns}} get service {{IstioValues.GatewayName}} \
              -o jsonpath='{.status.loadBalancer.ingress[0].ip}{.status.loadBalancer.ingress[0].hostname}' 2>/dev/null || true)
            if [ -n "$address" ]; then echo "$address"; return; fi
            tries=$((tries + 1))
            sleep 5
          done
          echo "The service {{IstioValues.GatewayName}} in $1 has no address after 5 minutes." >&2
          exit 1
        }

        if [ "$tool" = helm ]; then
          helm repo add istio https://istio-release.storage.googleapis.com/charts --force-update
          helm repo update istio
        fi

        """,
        steps, "", ContextExport.ShellQuote, context => $"pilot=$(pilot_of {context}); ",
        (tool, command) => $"if [ \"$tool\" = {tool} ]; then {command}; fi");

    internal static string PowerShell(IReadOnlyList<InstallStep> steps, string ns, IstioChoice istio, string kubeconfig)
    {
        return Render(
            $$"""
            # Installs Istio {{istio.Version}} in all clusters: ./install.ps1, or ./install.ps1 istioctl.
            # Run PushSecrets and RemoteSecrets before it, and Verify after it. It can be run again.
            param([ValidateSet('helm', 'istioctl')][string]$Tool = 'helm')
            $ErrorActionPreference = 'Stop'
            $env:KUBECONFIG = {{Quote(kubeconfig)}}
            Set-Location $PSScriptRoot

            function Invoke-Step {
              $command, $rest = $args
              & $command @rest
              if ($LASTEXITCODE -ne 0) { throw "$command failed with exit code $LASTEXITCODE." }
            }

            # Waits until the east-west gateway of a primary cluster has an address.
            function Get-Pilot($Context) {
              foreach ($i in 1..60) {
                $address = kubectl --context $Context -n {{ns}} get service {{IstioValues.GatewayName}} `
                  -o 'jsonpath={.status.loadBalancer.ingress[0].ip}{.status.loadBalancer.ingress[0].hostname}' 2>$null
                if ($address) { return $address }
                Start-Sleep 5
              }
              throw "The service {{IstioValues.GatewayName}} in $Context has no address after 5 minutes."
            }

            if ($Tool -eq 'helm') {
              Invoke-Step helm repo add istio https://istio-release.storage.googleapis.com/charts --force-update
              Invoke-Step helm repo update istio
            }

            """,
            steps, "Invoke-Step ", Quote, context => $"$pilot = Get-Pilot {context}; ",
            (tool, command) => $"if ($Tool -eq '{tool}') {{ {command} }}");

        static string Quote(string word) => word.All(char.IsAsciiLetterOrDigit) || word.StartsWith("--", StringComparison.Ordinal)
            ? word : $"'{word.Replace("'", "''", StringComparison.Ordinal)}'";
    }

    /// <summary>The steps behind what a shell needs first.</summary>
    /// <param name="head">The start of the script.</param>
    /// <param name="steps">The steps.</param>
    /// <param name="call">The prefix of a command.</param>
    /// <param name="quote">Quotes a word.</param>
    /// <param name="pilot">Sets <c>$pilot</c>, from the quoted context of a primary.</param>
    /// <param name="only">Runs a command only if the user chose this tool.</param>
    private static string Render(
        string head, IReadOnlyList<InstallStep> steps, string call, Func<string, string> quote, Func<string, string> pilot,
        Func<string, string, string> only)
    {
        var text = new StringBuilder(head.ReplaceLineEndings("\n"));
        foreach (var step in steps)
        {
            if (step.Comment is { } comment) text.Append($"\n# {comment}\n");
            if (step.Words.Count == 0) continue;
            var words = step.Words.Select(w => w.Contains(Pilot, StringComparison.Ordinal)
                ? $"\"{w.Replace(Pilot, "$pilot", StringComparison.Ordinal)}\"" : quote(w));
            var command = (step.AwaitPilotOf is { } of ? pilot(quote(of)) : "") + call + string.Join(' ', words);
            text.Append(step.Tool is InstallTool.Any ? command : only(step.Tool.ToString().ToLowerInvariant(), command)).Append('\n');
        }

        return text.ToString();
    }
}
