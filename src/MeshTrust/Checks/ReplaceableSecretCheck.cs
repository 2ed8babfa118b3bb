using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>
/// MT5021: the secret can be replaced when its time comes. The other half of this number, live roots against the secret's, is MT5013's
/// at this moment; against roots that are about to be pushed it is the push guard's.
/// </summary>
public sealed class ReplaceableSecretCheck : TrustCheck
{
    /// <inheritdoc/>
    public override string Id => "MT5021";

    /// <inheritdoc/>
    public override string Title => "the secret can be replaced when its CA must be";

    /// <inheritdoc/>
    public override string Citation => "Kubernetes, Secrets: immutable; istio pilot/pkg/bootstrap/istio_ca.go (file watcher behind kubelet's sync)";

    /// <inheritdoc/>
    public override IEnumerable<TrustFinding> Inspect(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return snapshot.Clusters.Where(c => c.Cacerts?.Immutable is true).Select(c => Warning(
            c,
            $"The secret cacerts of '{c.Name}' is immutable: kubelet never refreshes it, and a new intermediate can only come by deleting it, which leaves a moment without a CA.",
            "Create it anew without 'immutable: true' at the next planned restart of istiod."));
    }
}
