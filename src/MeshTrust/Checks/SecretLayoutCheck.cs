using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>MT5005: the secret is there, with every key of one layout and without the mark of a self-signed CA.</summary>
public sealed class SecretLayoutCheck : TrustCheck
{
    private static readonly string[] TlsKeys = ["tls.crt", "tls.key", "ca.crt"];

    /// <inheritdoc/>
    public override string Id => "MT5005";

    /// <inheritdoc/>
    public override string Title => "the secret cacerts holds all keys of one layout";

    /// <inheritdoc/>
    public override string Citation => "istio pilot/pkg/bootstrap/istio_ca.go, detectSigningCABundle; istio/istio#46600, #47650";

    /// <inheritdoc/>
    public override string? NotApplicable(TrustSnapshot snapshot) => null;

    /// <inheritdoc/>
    public override IEnumerable<TrustFinding> Inspect(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        var place = $"secret {snapshot.Topology.Trust.Namespace}/cacerts";
        return snapshot.Clusters.Where(c => !c.Lacks(SnapshotPart.Cacerts)).SelectMany(c => Inspect(c, place));
    }

    private IEnumerable<TrustFinding> Inspect(ClusterSnapshot cluster, string place)
    {
        if (cluster.Bundle is not { } bundle)
        {
            yield return Error(cluster, $"There is no {place}: istiod runs, or will start, with a self-signed root that no other cluster trusts.", "Run PushSecrets before istiod starts.");
            yield break;
        }

        if (bundle.Contains("istio-generated"))
        {
            yield return Error(cluster, $"{place} carries 'istio-generated': istiod made it itself and treats it as self-signed.", "Replace the whole secret by one that was issued from the common root, without that key.");
        }

        if (bundle.IsTls && SigningBundle.Keys.Any(bundle.Contains))
        {
            yield return Error(cluster, $"{place} holds both layouts: istiod takes tls.crt and silently ignores the *.pem keys.", "Remove the keys of the layout that is not meant.");
        }

        foreach (var key in (bundle.IsTls ? TlsKeys : SigningBundle.Keys).Where(k => !bundle.Contains(k)))
        {
            yield return Error(cluster, $"{place} lacks '{key}': istiod 1.27 and later refuse to start, older versions silently use a self-signed CA.", "Push all four files together.");
        }

        foreach (var key in (bundle.IsTls ? TlsKeys : SigningBundle.Keys).Where(k => bundle.Contains(k) && !bundle.Has(k)))
        {
            yield return Error(cluster, $"{place} has an empty '{key}'.", "Push all four files together.");
        }
    }
}
