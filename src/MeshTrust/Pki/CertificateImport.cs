using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>An intermediate that a CA outside of MeshTrust signed, its issuers and the root.</summary>
/// <param name="Cluster">The cluster.</param>
/// <param name="Key">The key of the intermediate.</param>
/// <param name="Path">The intermediate first, the root last.</param>
/// <param name="All">Each of them with the file that holds it.</param>
internal sealed record SignedChain(
    ClusterName Cluster, PrivateKeyPem Key, IReadOnlyList<CertificateDocument> Path,
    IEnumerable<(CertificateDocument Certificate, string File)> All) : ICertificatePath
{
    /// <summary>No CA may outlive any CA above it, as if each were the root.</summary>
    public IReadOnlyList<CertificateDocument> Roots => Path;

    internal string File => All.First().File;
}

/// <summary>Takes intermediates that a CA outside of MeshTrust signed into the trust store: all that fit their requests, or none.</summary>
/// <param name="store">The trust store.</param>
/// <param name="topology">What the intermediates must be, and what is issued below them.</param>
/// <param name="judge">Everything that is wrong with a chain; warnings do not stop the import.</param>
/// <param name="time">The clock.</param>
internal sealed class CertificateImport(
    TrustStore store, MeshTopology topology, Func<SignedChain, IEnumerable<Problem>> judge, TimeProvider time)
{
    private readonly CertificateRequests _requests = new(store);
    private readonly List<Problem> _problems = [];

    /// <summary>Imports certificates by their keys: names and order of files do not matter.</summary>
    /// <param name="chosen">The clusters whose certificates must be there; empty for those with a request, or all if none has one.</param>
    /// <param name="files">The signed certificates, their issuers and the root.</param>
    /// <param name="cancellationToken">Stops before anything is written.</param>
    /// <exception cref="MeshTrustException">All that does not fit, at once; nothing is written then. MT10xx: an I/O error.</exception>
    internal async Task<IReadOnlyList<IssueOutcome<ClusterCacerts>>> RunAsync(
        IReadOnlyList<ClusterName> chosen, IReadOnlyList<PemFile> files, CancellationToken cancellationToken)
    {
        List<ClusterName> names = [.. topology.Clusters.Select(c => c.Name)];
        using var held = await store.LockAsync(names, cancellationToken).ConfigureAwait(false);
        var waiting = names.FindAll(_requests.IsPending);
        var known = store.TryReadRoot();
        _problems.AddRange(PemFiles.Damage(files));
        var chains = (chosen.Count > 0 ? chosen : waiting.Count > 0 ? waiting : names)
            .Select(cluster => Find(cluster, files, known)).OfType<SignedChain>().ToList();
        ThrowIfAny(chains.Count == 0);
        var root = known ?? RootCa.WithoutKey(chains[0].File, PemDocument.Write([chains[0].Path[^1]]));
        var warnings = chains.ConvertAll(chain =>
        {
            List<Problem> found = [.. Check(chain, root)];
            _problems.AddRange(found);
            return found;
        });
        ThrowIfAny();
        var imported = chains.ConvertAll(chain => Validate(chain, root));
        ThrowIfAny();
        if (known is null) Write(store.Location, new() { [CacertsFile.RootCert] = root.CertificateFile });
        return [.. imported.OfType<ClusterCacerts>().Select((cacerts, i) =>
        {
            var changed = CacertsRepair.Changed(cacerts.ToFiles(), store.ReadClusterFiles(cacerts.Cluster)).ToDictionary();
            var replaced = changed.Count == 0 ? [] : Write(store.ClusterDirectory(cacerts.Cluster), changed);
            _requests.Remove(cacerts.Cluster);
            return new IssueOutcome<ClusterCacerts>(changed.Count == 0 ? IssueKind.Kept : IssueKind.Imported, cacerts)
            {
                Replaced = replaced, Notes = [.. warnings[i].Select(warning => warning.ToString())],
            };
        })];

        IReadOnlyList<string> Write(string directory, Dictionary<string, ReadOnlyMemory<byte>> content) =>
            StoreDirectory.Write(store.Location, directory, content, time.GetUtcNow());
    }

    /// <summary>The newest certificate with the key of the cluster's request, or of its files, and its issuers.</summary>
    private SignedChain? Find(ClusterName cluster, IReadOnlyList<PemFile> files, RootCa? root)
    {
        var stored = store.ReadClusterFiles(cluster);
        if (_requests.ReadKey(cluster, out var reason) is not { } key
            && (!stored.TryGetValue(CacertsFile.CaKey, out var own)
                || !PrivateKeyPem.TryParse(CacertsFile.CaKey, own.Span, out key, out _)))
        {
            Add("MT5131", cluster.Value, reason!, $"Run CertificateRequests --cluster={cluster}, and let your CA sign the new request.");
            return null;
        }

        var given = files.SelectMany(file => file.Certificates.Select(c => (Certificate: c, File: file.Name))).ToList();
        if (given.Select(g => g.Certificate).Where(key.Matches).MaxBy(c => c.NotBefore) is not { } certificate)
        {
            var there = given.Select(g => g.Certificate).Distinct().Where(c => !c.IsSelfIssued).Select(c => $"'{c.Subject}'").ToList();
            var list = there.Count == 0 ? "" : $" They hold {IO.Text.Names(there, 5)}.";
            Add("MT5131", cluster.Value, $"No certificate in these files has the key of its request ({key.KeyId}).{list}",
                $"Let your CA sign {_requests.PathOf(cluster)}, and name the file with --file. --cluster imports other clusters alone.");
            return null;
        }

        // What the cluster has had so far knows the issuers too; roots come first, because a CA may be cross-signed.
        IEnumerable<CertificateDocument> before = stored.TryGetValue(CacertsFile.CertChain, out var chain)
            ? PemDocument.Parse("", chain.Span).Certificates : [];
        var roots = root?.Roots ?? [];
        var others = given.Select(g => g.Certificate).Concat(before).OrderByDescending(c => c.IsSelfIssued);
        var path = CertificateChain.Path(certificate, [.. roots, .. others]);
        if (path.FindIndex(roots.Contains) is > 0 and var anchor) path = path[..(anchor + 1)];
        var places = path.Select(c => (c, given.Find(g => g.Certificate.Equals(c)).File ?? store.RootCertPath));
        return new SignedChain(cluster, key, path, [.. places]);
    }

    private IEnumerable<Problem> Check(SignedChain chain, RootCa root)
    {
        var (certificate, top, file) = (chain.Path[0], chain.Path[^1], chain.File);
        if (!top.IsSelfIssued && (!root.Roots.Contains(top) || !File.Exists(store.RootCertPath)))
            yield return new("MT5132", file, $"The chain of '{certificate.Subject}' ends at '{top.Subject}', issued by '{top.Issuer}'.",
                $"Add the certificate of '{top.Issuer}', and those above it up to the root, to the files.");
        else if (!root.Roots.Contains(top))
            yield return new("MT5110", file, $"'{certificate.Subject}' chains to the root {top}, but the mesh has {root.Certificate}.",
                "All clusters need one root: let the same CA sign all requests. A root is never replaced.");
        var wanted = CertificateProfile.ForIntermediate(topology.Trust.Intermediate, chain.Cluster);
        var lacking = wanted.Subject.Where(a => !certificate.Has(a.Type, a.Value)).Select(a => $"{a.Type}={a.Value}").ToList();
        if (lacking.Count > 0)
            yield return new("MT5133", file, $"The subject '{certificate.Subject}' lacks {string.Join(", ", lacking)}.",
                "Let your CA keep the subject of the request. If the request was created with other options, pass the same ones here.");
        if (certificate is { IsCa: true, PathLength: not 0 })
            yield return new("MT5133", file, $"'{certificate.Subject}' has no path length 0, so the cluster's CA may create other CAs.",
                "Let your CA keep the path length of the request.", Severity.Warning);
        if (certificate.KeyUsage is { } usage && !usage.HasFlag(CertificateKeyUsage.CrlSign))
            yield return new("MT5133", file, $"'{certificate.Subject}' lacks cRLSign, so it can never sign a CRL.",
                "Let your CA keep the key usage of the request.", Severity.Warning);
        var domain = topology.Clusters.First(c => c.Name == chain.Cluster).TrustDomain ?? topology.Trust.TrustDomain;
        var trust = topology.Trust with { TrustDomain = domain };
        foreach (var problem in RootCaIssuer.ForbiddenNames(chain.Path, file, trust).Concat(judge(chain))) yield return problem;
    }

    private ClusterCacerts? Validate(SignedChain chain, RootCa root)
    {
        try
        {
            var rootFile = CacertsRepair.RootFile(store.ReadClusterFiles(chain.Cluster), root);
            var files = ClusterCacerts.FilesOf(chain.Path, chain.Key, rootFile, chainHasRoot: !topology.Trust.MinimalChain);
            return ClusterCacerts.FromFiles(chain.Cluster, files);
        }
        catch (MeshTrustException fault)
        {
            _problems.AddRange(fault.Problems);
            return null;
        }
    }

    private void Add(string id, string location, string message, string hint) => _problems.Add(new(id, location, message, hint));

    private void ThrowIfAny(bool isOver = true)
    {
        if (isOver && _problems.Any(p => p.Severity == Severity.Error))
            throw new MeshTrustException(Stage.CertificateAuthority, [.. _problems.DistinctBy(p => (p.Id, p.Message))]);
    }
}
