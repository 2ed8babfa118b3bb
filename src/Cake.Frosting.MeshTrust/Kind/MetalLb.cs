using System.Text.Json.Nodes;
using Cake.Frosting.MeshTrust.Tools;
using MeshTrust;
using MeshTrust.Kind;
using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>MetalLB in one cluster, in layer 2 mode: its manifest, real readiness, its pool.</summary>
internal sealed class MetalLb(ClusterAccess access, IClusterApi api, KubectlTool kubectl, Action<string> onStep, TimeProvider time,
    TimeSpan pause)
{
    /// <summary>
    /// The field manager for the manifest: different from MeshTrust's, or each of the two would remove the other's labels.
    /// </summary>
    internal const string ManifestManager = "meshtrust-manifest";

    /// <summary>The annotation of MetalLB's namespace that says which manifest was applied: its SHA-256.</summary>
    internal const string ManifestAnnotation = "meshtrust.dev/metallb-manifest";
    private const int ApplyTries = 3;

    /// <summary>Errors that a retry does not change; all others mean that the webhook does not answer yet.</summary>
    private static readonly HashSet<string> Lasting =
    [
        ProblemCodes.Unauthorized, ProblemCodes.Forbidden, ProblemCodes.ClientCertificateExpired, ProblemCodes.FieldConflict,
        ProblemCodes.WebhookDenied, ProblemCodes.NamespaceTerminating, ProblemCodes.QuotaExceeded, ProblemCodes.SecretTooLarge,
        ProblemCodes.ObjectInvalid,
    ];

    private string _step = "";
    private bool _waitsForWebhook;

    internal async Task<ApplyOutcome> EnsureAsync(MetalLbManifest manifest, ClusterAddresses addresses, TimeSpan limit,
        CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(limit, time);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
        try
        {
            var installed = await InstallAsync(manifest, deadline.Token).ConfigureAwait(false);
            await BecomesReadyAsync(deadline.Token).ConfigureAwait(false);
            var pool = await WriteAsync(addresses, deadline.Token).ConfigureAwait(false);
            return installed == ApplyOutcome.Unchanged ? pool : installed;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw await OverdueAsync(limit, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<ApplyOutcome> InstallAsync(MetalLbManifest manifest, CancellationToken cancellationToken)
    {
        Step("checking for MetalLB");
        var state = await MetalLbState.ReadAsync(api, cancellationToken).ConfigureAwait(false);
        var held = await api.ReadNamespaceAsync(MetalLbObjects.Namespace, cancellationToken).ConfigureAwait(false);
        if (state.IsInstalled && held?.Annotations.GetValueOrDefault(ManifestAnnotation) == manifest.Sha256) return ApplyOutcome.Unchanged;
        Step("applying MetalLB's manifest");
        await ApplyManifestAsync(manifest, cancellationToken).ConfigureAwait(false);
        var annotations = new Dictionary<string, string> { [ManifestAnnotation] = manifest.Sha256 };
        var mark = new NamespaceSpec { Name = MetalLbObjects.Namespace, Annotations = annotations };
        await api.ApplyNamespaceAsync(mark, force: false, cancellationToken).ConfigureAwait(false);
        return state.IsInstalled ? ApplyOutcome.Changed : ApplyOutcome.Created;
    }

    private async Task ApplyManifestAsync(MetalLbManifest manifest, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            var result = await kubectl.ApplyAsync(access, manifest.Path, ManifestManager, cancellationToken).ConfigureAwait(false);
            if (result.ExitCode == 0) return;
            // kubectl always exits with 1: a conflict of field managers shows only in its output.
            if (result.Error.Contains("conflict with", StringComparison.Ordinal))
            {
                throw Fault("MT4016",
                    $"Another tool installed MetalLB in this cluster and owns its fields: {LoadBalancerFault.Words(result.Error)}.",
                "Keep it and use --lb=none; or remove it (kubectl delete namespace metallb-system, and the configuration " +
                "metallb-webhook-configuration) and run again.");
            }

            if (tries >= ApplyTries)
            {
                throw Fault("MT4015", $"kubectl could not apply MetalLB's manifest {manifest.Path} (exit code {result.ExitCode}): " +
                    $"{LoadBalancerFault.Words(result.Error)}.",
                    "Fix what kubectl names. Unknown fields mean that the cluster's Kubernetes is too old for this MetalLB: use an older " +
            "MetalLB (loadBalancer.version with --metallb-sha256, or --metallb-manifest).");
            }

            await Task.Delay(pause, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task BecomesReadyAsync(CancellationToken cancellationToken)
    {
        while (MetalLbWait.First(await MetalLbState.ReadAsync(api, cancellationToken).ConfigureAwait(false)) is { } wait)
        {
            Step($"waiting for MetalLB: {wait}", waitsForWebhook: wait.Id == ProblemCodes.WebhookCertificateLate);
            await Task.Delay(pause, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<ApplyOutcome> WriteAsync(ClusterAddresses addresses, CancellationToken cancellationToken)
    {
        var pool = MetalLbObjects.PoolWith(addresses.LoadBalancerPool);
        Step("checking the pool with MetalLB's webhook", waitsForWebhook: true);
        while (!await IsAcceptedAsync(pool, cancellationToken).ConfigureAwait(false))
            await Task.Delay(pause, time, cancellationToken).ConfigureAwait(false);
        Step("writing the pool");
        ApplyOutcome[] outcomes =
        [
            await api.ApplyObjectAsync(MetalLbObjects.Pool, pool, dryRun: false, cancellationToken).ConfigureAwait(false),
            await api.ApplyObjectAsync(MetalLbObjects.Advertisement, MetalLbObjects.AdvertisementOfPool(), dryRun: false,
                cancellationToken).ConfigureAwait(false),
        ];
        return outcomes.Distinct().Count() == 1 ? outcomes[0] : ApplyOutcome.Changed;
    }

    /// <summary>
    /// Whether the server and the webhook accept the pool; false while the webhook does not answer. A rejection is reported at once.
    /// </summary>
    private async Task<bool> IsAcceptedAsync(JsonObject pool, CancellationToken cancellationToken)
    {
        try
        {
            await api.ApplyObjectAsync(MetalLbObjects.Pool, pool, dryRun: true, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (MeshTrustException e) when (!Lasting.Contains(e.Problems[0].Id))
        {
            cancellationToken.ThrowIfCancellationRequested();
            Step("waiting for MetalLB's webhook", waitsForWebhook: true);
            return false;
        }
        catch (MeshTrustException e) when (e.Problems[0].Id is ProblemCodes.WebhookDenied or ProblemCodes.ObjectInvalid)
        {
            throw Fault("MT4025",
                $"MetalLB rejects the pool {pool["spec"]!["addresses"]!.ToJsonString()}: {e.Problems[0].Message}",
                "Choose other addresses (loadBalancer.pool), or remove the pool: it is then planned.");
        }
        catch (MeshTrustException e) when (e.Problems[0].Id == ProblemCodes.FieldConflict)
        {
            throw Fault("MT4026",
                $"Another tool wrote the pool {MetalLbObjects.PoolName}: {e.Problems[0].Message}",
                "Delete it (kubectl -n metallb-system delete ipaddresspool address-pool) and run again; or keep it and use --lb=none.");
        }
    }

    private async Task<MeshTrustException> OverdueAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(TimeSpan.FromSeconds(10), time);
        using var last = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
        MetalLbState state;
        try
        {
            state = await MetalLbState.ReadAsync(api, last.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Fault("MT4027",
                $"MetalLB was not ready after {limit.TotalSeconds:0} s, and the API server no longer answers. The last step was: {_step}.",
            "Check that the cluster's nodes are running, then run again.");
        }

        if (MetalLbWait.First(state) is { } wait)
            return Fault(wait.Id, $"MetalLB was not ready after {limit.TotalSeconds:0} s: still waiting for {wait}.", Hint(wait));
        return _waitsForWebhook
            ? Fault("MT4024",
                $"MetalLB's webhook did not answer within {limit.TotalSeconds:0} s: {MetalLbWait.Webhook(state)}.",
                "Check the log of MetalLB's controller (kubectl -n metallb-system logs deployment/controller), then run again.")
            : Fault("MT4027",
                $"MetalLB was not ready after {limit.TotalSeconds:0} s. The last step was: {_step}.",
                "Run again with a longer timeouts.loadBalancer.");
    }

    private static string Hint(MetalLbWait wait) => wait switch
    {
        { LacksImage: true } =>
            "Check that the nodes can reach the image's registry, load the image with --image-archive, or use a manifest with " +
            "images that they can reach (--metallb-manifest).",
        { Id: ProblemCodes.WebhookCertificateLate } =>
            "Check the log of MetalLB's controller (kubectl -n metallb-system logs deployment/controller), then run again.",
        _ =>
            "Check the pods (kubectl -n metallb-system describe pods), fix what they report, then run again; timeouts.loadBalancer " +
                "allows more time.",
    };

    private MeshTrustException Fault(string code, string message, string hint) =>
        LoadBalancerFault.New(code, access.Name.Value, message, hint);

    private void Step(string step, bool waitsForWebhook = false)
    {
        _waitsForWebhook = waitsForWebhook;
        if (_step == step) return;
        _step = step;
        onStep(step);
    }
}
