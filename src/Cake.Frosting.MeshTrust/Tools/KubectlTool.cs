using Cake.Core;
using Cake.Kubectl;
using MeshTrust;
using MeshTrust.Kubeconfig;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>
/// kubectl by way of Cake.Kubectl, whose settings know neither a kubeconfig nor a context: every call goes through here and names both,
/// keeps kubectl's cache out of the user's home, hears what kubectl says, and ends it when the caller's token is cancelled.
/// </summary>
/// <param name="context">Cake's context, which finds and starts it.</param>
/// <param name="cacheDirectory">Where kubectl keeps what it learned of each server; absolute.</param>
internal sealed class KubectlTool(ICakeContext context, string cacheDirectory)
{
    private static readonly string[] Names = ["kubectl.exe", "kubectl"];

    /// <summary>Whether kubectl is there. It is not started.</summary>
    public bool IsThere => context.Tools.Resolve(Names) is not null;

    /// <summary>Applies a manifest, by server-side apply, to one cluster.</summary>
    /// <param name="access">The cluster.</param>
    /// <param name="manifest">The manifest's file.</param>
    /// <param name="fieldManager">Under which name the server keeps who owns the fields.</param>
    /// <param name="cancellationToken">Ends kubectl and the call.</param>
    /// <returns>What kubectl said, whatever its exit code.</returns>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.LoadBalancer"/>, MT4010: kubectl is not there.</exception>
    public Task<ToolResult> ApplyAsync(ClusterAccess access, string manifest, string fieldManager, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(access);
        EnsureIsThere();
        var settings = new KubectlApplySettings { ServerSide = true, FieldManager = fieldManager, Filename = manifest };
        return RunAsync("apply", settings, access, (c, s) => c.KubectlApply(s), cancellationToken);
    }

    /// <summary>Sees that kubectl is there.</summary>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.LoadBalancer"/>, MT4010: it is not.</exception>
    public void EnsureIsThere()
    {
        if (!IsThere)
        {
            throw new MeshTrustException(Stage.LoadBalancer, new Problem("MT4010", "kubectl",
                "It is not on the PATH, and MetalLB's manifest is applied with it.",
                "Install kubectl (https://kubernetes.io/docs/tasks/tools/), or do without load balancers: --lb=none."));
        }
    }

    private async Task<ToolResult> RunAsync<TSettings>(string command, TSettings settings, ClusterAccess access, Action<ICakeContext, TSettings> alias, CancellationToken cancellationToken)
        where TSettings : AutoToolSettings
    {
        settings.ArgumentCustomization = arguments => arguments
            .AppendSwitchQuoted("--kubeconfig", "=", access.KubeconfigPath)
            .AppendSwitchQuoted("--context", "=", access.ContextName)
            .AppendSwitchQuoted("--cache-dir", "=", cacheDirectory);
        settings.EnvironmentVariables = new Dictionary<string, string> { ["KUBECONFIG"] = access.KubeconfigPath };
        settings.HandleExitCode = _ => true;
        using var processes = new KubectlProcesses($"kubectl {command}", cancellationToken);
        // An alias blocks until its program has ended.
        await Task.Run(() => alias(new KubectlContext(context, processes), settings), cancellationToken).ConfigureAwait(false);
        return processes.Result ?? throw new InvalidOperationException($"kubectl {command} was not waited for.");
    }
}
