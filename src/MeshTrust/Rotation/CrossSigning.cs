using MeshTrust.Pki;
using MeshTrust.Verification;

namespace MeshTrust.Rotation;

/// <summary>
/// The new root's name and key, signed by the old root: with it in a chain, workloads that trust only the old root accept the new CA.
/// </summary>
internal static class CrossSigning
{
    /// <exception cref="MeshTrustException">MT5518, MT5101: this mesh cannot be cross-signed. All problems at once.</exception>
    internal static void Require(RotatedMesh mesh, TrustSnapshot snapshot)
    {
        const string Hint = "Run RotateRoot without --cross-signed.";
        var (store, trust, problems) = (mesh.Store, mesh.Topology.Trust, new List<Problem>());
        foreach (var live in snapshot.Clusters.Select(c => c.Live).Where(SelfSignedCa.Signs))
            Refuse(live.Cluster.Value, "istiod signs with its self-signed CA, not under the old root.", Hint);
        if (problems.Count > 0) throw new MeshTrustException(Stage.Verification, problems);

        var old = store.ReadRoot();
        foreach (var files in mesh.Names.Select(store.ReadCacerts).Where(f => !f.Root.Equals(old.Certificate)))
            Refuse(files.Cluster.Value, $"It is under another root: {files.Root}.", Hint);
        var coming = store.Next.TryReadRoot() ?? ExternalRoot.Read(trust);
        var depth = (coming?.Chain.Count ?? 1) + 1;
        if (old.Certificate.PathLength < depth)
            Refuse(store.RootCertPath, $"The old root allows {old.Certificate.PathLength} CAs below it, but {depth} are needed.", Hint);
        if (!old.HasKey) problems.Add(new("MT5101", store.RootKeyPath, "There is no key of the old root, which has to sign the new one.",
            $"Put the key of '{old.Certificate.Subject}' there for this run. Or run RotateRoot without --cross-signed."));
        else if (old.Chain.Count > 1)
            Refuse(store.RootKeyPath, $"It is the key of '{old.Chain[0].Subject}', not of the old root.", Hint);
        // With equal names it would look self-signed, and istiod could not load its CRL.
        if ((coming?.Certificate.Subject ?? $"O={trust.Root.Organization}, CN={trust.Root.CommonName}") == old.Certificate.Subject)
            Refuse(store.RootCertPath, $"The new root would have the name of the old one: {old.Certificate.Subject}.",
                "Give it another one with --rootca-cn, in later runs too"
                + (coming is null ? "." : $"; or bring a root with another name. Before that, remove {store.Next.Location} if it exists."));
        var stage = problems.Any(p => p.Id != "MT5101") ? Stage.Verification : Stage.CertificateAuthority;
        if (problems.Count > 0) throw new MeshTrustException(stage, problems);

        void Refuse(string where, string message, string hint) =>
            problems.Add(new("MT5518", where, $"The new root cannot be cross-signed. {message}", hint));
    }

    /// <returns>The certificate in base64, for the plan.</returns>
    /// <exception cref="MeshTrustException">MT5141 to MT5143: the passphrase of the old root's key.</exception>
    internal static string Issue(RotatedMesh mesh, RootCa coming)
    {
        var (old, root) = (mesh.Store.ReadRoot(), coming.Certificate);
        using var signer = old.OpenSigner(mesh.Topology.Trust);
        var issued = new CertificateIssuer(mesh.Time).Issue(
            CertificateProfile.ForCross(root), root.SubjectPublicKeyInfo, [.. old.Chain, root], signer);
        return Convert.ToBase64String(issued.Certificate.Der.Span);
    }
}
