using MeshTrust.Pki;

namespace MeshTrust.Kubernetes;

/// <summary>The root CA of a running cluster with its key. ToString shows no key.</summary>
internal sealed class FetchedRoot
{
    private FetchedRoot(string place, RootCa root, byte[] key, bool isPublished) =>
        (Place, Root, Key, IsPublished) = (place, root, key, isPublished);

    /// <summary>The secret that holds it, such as <c>east/istio-ca-secret</c>.</summary>
    internal string Place { get; }

    internal RootCa Root { get; }

    /// <summary>The file of the key, byte for byte.</summary>
    internal ReadOnlyMemory<byte> Key { get; }

    /// <summary>Whether istiod publishes this root to the workloads; false if it has not run here.</summary>
    internal bool IsPublished { get; }

    /// <summary>
    /// The CA that signs in a cluster, if it is a root and its key is there. Istio's Makefile takes an intermediate or a secret that is
    /// left over without a word: workloads would trust neither.
    /// </summary>
    /// <exception cref="MeshTrustException">
    /// MT5121: there is none. MT5122: it is an intermediate. MT5123: the secret is left over. MT51xx: it cannot be used.
    /// </exception>
    internal static FetchedRoot Of(LiveTrust live)
    {
        if (live.Misplaced is { } misplaced) throw Fault("MT5121", misplaced, $"Is it --istio-namespace={live.FoundIn[0]}?");
        if (live.Signer is Signer.OtherCa)
            throw Fault("MT5121", "Another CA than istiod's signs here (istio-csr), and its key is in no secret of istiod's.",
                "Take the root and its key from that CA, and pass --rootca-cert and --rootca-key.");
        if (live.Secret is null && live.SelfSigned is null)
            throw Fault("MT5121",
                $"There is neither {CacertsSecret.Name} nor {LiveTrust.SelfSignedName} in the namespace {live.Namespace}.",
                "Install Istio first, or run RootCa for a new root.");
        SigningBundle?[] held = [live.Secret, live.SelfSignedCa];
        var taken = held.FirstOrDefault(b =>
            b?.Ca is { IsSelfIssued: true } root && (live.Published?.Contains(root) ?? ReferenceEquals(b, live.Signing)));
        if (taken is not { Ca: { } ca } bundle)
        {
            throw live.Signing?.Ca is { IsSelfIssued: false } signing
                ? Fault("MT5122", $"{CacertsSecret.Name} holds the intermediate '{signing.Subject}', issued by '{signing.Issuer}', and not "
                    + "the key of the root: workloads would not trust CAs that are issued below it.",
                    "Pass the root and its key, from where they are kept, with --rootca-cert and --rootca-key.")
                : Fault("MT5123", live.Published is { } published
                    ? $"The secret is left over: it holds {LiveTrust.Describe(held.Select(b => b?.Ca).OfType<CertificateDocument>())}, but "
                        + $"istiod publishes {LiveTrust.Describe(published)}, which workloads trust."
                    : "The secret holds no readable CA certificate.",
                    "Restore the secret of the right root from a backup, or pass its files with --rootca-cert and --rootca-key.");
        }

        var name = ReferenceEquals(bundle, live.Secret) ? CacertsSecret.Name : LiveTrust.SelfSignedName;
        var place = $"{live.Cluster}/{name}";
        var key = bundle.Bytes(bundle.KeyName).ToArray();
        // A running istiod drops an update of cacerts if one byte of the root's file differs.
        ReadOnlyMemory<byte> file = bundle.Roots is [var only] && only.Equals(ca)
            ? bundle.Bytes(bundle.RootCertName).ToArray() : PemDocument.Write([ca]);
        var root = RootCa.FromFiles(place, file, place, key, [], "Restore the secret from a backup.");
        return new FetchedRoot(place, root, key, live.Published is not null);

        MeshTrustException Fault(string id, string message, string hint) =>
            new(Stage.CertificateAuthority, new Problem(id, live.Cluster.Value, message, hint));
    }

    public override string ToString() => $"{Place}: {Root}";
}
