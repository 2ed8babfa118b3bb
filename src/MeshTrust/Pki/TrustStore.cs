using MeshTrust.IO;
using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>
/// The directory of CA material, laid out as by Istio's Makefile: <c>root-cert.pem</c>, <c>root-key.pem</c>, and four files per cluster.
/// If a CA under the root issues for the clusters, <c>root-key.pem</c> is its key, and <c>issuer-chain.pem</c> begins with it.
/// </summary>
/// <remarks>
/// Keys are 0600 and directories 0700 from their creation. Everything is written to a temporary file and then renamed into place, under a
/// lock for one process at a time. The next run removes what a killed run left behind.
/// </remarks>
public sealed class TrustStore
{
    /// <summary>The names of temporary files that are not yet renamed into place: <c>.meshtrust-*.tmp</c>.</summary>
    internal const string TemporaryPattern = StoreFile.TemporaryPrefix + "*" + StoreFile.TemporarySuffix;

    private const int ReadOnlyFileSystem = 30;

    /// <summary>A store in a directory, which need not exist yet. This reads and writes nothing.</summary>
    public TrustStore(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        Location = Path.GetFullPath(directory);
    }

    /// <summary>The directory, absolute.</summary>
    public string Location { get; }

    /// <summary>How long to wait for another process that is writing here.</summary>
    /// <value>The default is five minutes: the other may be generating a hundred RSA keys.</value>
    public TimeSpan LockDeadline { get; init; } = TimeSpan.FromMinutes(5);

    internal string RootCertPath => Path.Combine(Location, CacertsFile.RootCert);
    internal string RootKeyPath => Path.Combine(Location, CacertsFile.RootKey);
    internal string IssuerChainPath => Path.Combine(Location, CacertsFile.IssuerChain);
    internal string CrlPath => Path.Combine(Location, CacertsFile.Crl);

    /// <summary>The file stays, and means nothing unless a process holds it.</summary>
    internal string LockPath => Path.Combine(Location, ".meshtrust.lock");

    internal string ClusterDirectory(ClusterName cluster) => Path.Combine(Location, cluster.Value);

    /// <summary>Where a workload's files are: below one directory that holds no files itself, so it never passes for a cluster's.</summary>
    internal string WorkloadDirectory(ClusterName cluster, WorkloadName workload) =>
        Path.Combine(Location, "workloads", cluster.Value, workload.Namespace, workload.ServiceAccount);

    internal string ClusterPath(ClusterName cluster, string file) => Path.Combine(ClusterDirectory(cluster), file);

    /// <summary>The keys that a run certainly needs, for generation ahead of time: the root's and those of missing intermediates.</summary>
    internal IReadOnlyList<KeyAlgorithm> MissingKeys(MeshTopology topology)
    {
        var (isBrought, hasKey) = (topology.Trust.RootCertificateFile is not null, File.Exists(RootKeyPath));
        if (!isBrought && !hasKey && (File.Exists(RootCertPath) || ClusterRoots().Count > 0)) return [];
        var needsRoot = !isBrought && !hasKey && !File.Exists(RootCertPath);
        var missing = topology.Clusters.Count(cluster => CacertsFile.OfCluster.Any(file => !File.Exists(ClusterPath(cluster.Name, file))));
        var intermediates = Enumerable.Repeat(topology.Trust.Intermediate.Key, missing);
        return [.. needsRoot ? intermediates.Prepend(topology.Trust.Root.Key) : intermediates];
    }

    /// <summary>Reads the root; its key may be missing.</summary>
    /// <exception cref="MeshTrustException">MT5116: it does not exist. MT51xx: it is not valid. MT10xx: it cannot be read.</exception>
    public RootCa ReadRoot() => TryReadRoot() ?? throw Fault("MT5116", RootCertPath, "There is no root.", "Run RootCa first.");

    /// <summary>Reads a cluster's four files; while another process writes here, it retries for up to a second.</summary>
    /// <exception cref="MeshTrustException">MT5113: they do not exist. MT5112: they do not match. MT10xx: they cannot be read.</exception>
    public ClusterCacerts ReadCacerts(ClusterName cluster)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        var settled = false;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var files = ReadClusterFiles(cluster);
                if (files.Count == 0) throw Fault(
                    "MT5113", ClusterDirectory(cluster), $"There is no CA material for cluster {cluster}.", "Run ClusterCacerts first.");
                if (StoreFile.Read(CrlPath) is { } crl) files.Add(CacertsFile.Crl, crl);
                return ClusterCacerts.FromFiles(cluster, files);
            }
            // Four files cannot be read atomically: a mix of old and new is read again, never returned.
            catch (MeshTrustException fault) when (fault.Stage == Stage.CertificateAuthority && attempt <= 20 && !settled)
            {
                // Once no process is writing, one last read decides.
                settled = !FileLock.IsHeld(LockPath);
                if (!settled) Thread.Sleep(50);
            }
        }
    }

    /// <summary>
    /// Removes files in these clusters' directories that were replaced before a given time, once their successors are verified.
    /// </summary>
    /// <returns>How many files were removed.</returns>
    public int RemoveReplaced(IEnumerable<ClusterName> clusters, DateTimeOffset before)
    {
        var old = clusters.SelectMany(c => StoreFile.Replaced(ClusterDirectory(c), before)).ToList();
        foreach (var file in old) StoreFile.Remove(file);
        return old.Count(file => !File.Exists(file));
    }

    /// <summary>Beside this store: the next root, during a change of root.</summary>
    internal TrustStore Next => new(Location + "-next");

    /// <summary>The CRLs; null if this store does not use any.</summary>
    internal RevocationLists? ReadCrls() => StoreFile.Read(CrlPath) is { } file ? RevocationLists.Parse(CrlPath, file) : null;

    internal string PreviousDirectory(ClusterName cluster) => Path.Combine(ClusterDirectory(cluster), "previous");

    /// <summary>Keeps a cluster's four files for a rollback, in place of those kept before.</summary>
    internal void SavePrevious(ClusterName cluster)
    {
        var (directory, files) = (PreviousDirectory(cluster), ReadClusterFiles(cluster));
        DiskFault.Report(Stage.CertificateAuthority, directory, () =>
        {
            var staged = StoreFile.TemporaryPath(ClusterDirectory(cluster), "previous");
            AtomicFile.CreateDirectory(staged, secret: true);
            foreach (var (file, content) in files)
                StoreFile.Create(Path.Combine(staged, file), content.Span, isKey: file == CacertsFile.CaKey, flush: true);
            StoreFile.Remove(directory);
            Directory.Move(staged, directory);
        });
    }

    /// <summary>The files that were kept for a rollback; null if there are none.</summary>
    /// <exception cref="MeshTrustException">MT51xx: they are not valid. MT10xx: they cannot be read.</exception>
    internal ClusterCacerts? ReadPrevious(ClusterName cluster)
    {
        var files = CacertsFile.OfCluster.Select(f => (Name: f, Content: StoreFile.Read(Path.Combine(PreviousDirectory(cluster), f))))
            .Where(f => f.Content is not null).ToDictionary(f => f.Name, f => new ReadOnlyMemory<byte>(f.Content));
        return files.Count == 0 ? null : ClusterCacerts.FromFiles(cluster, files);
    }

    internal void RemovePrevious(ClusterName cluster) => StoreFile.Remove(PreviousDirectory(cluster));

    /// <summary>The root; without one of its own the store has what its clusters' files hold. Null if there is nothing.</summary>
    internal RootCa? TryReadRoot() => (StoreFile.Read(RootCertPath), StoreFile.Read(RootKeyPath)) switch
    {
        (null, null) => RootCa.FromClusters(ClusterRoots()),
        (null, _) => throw Fault("MT5101", RootCertPath,
            $"It is missing, but {RootKeyPath} exists: the key is of no use without its certificate.", RootCa.StartOver),
        ({ } certificate, null) => RootCa.WithoutKey(RootCertPath, certificate),
        var (certificate, key) => RootCa.FromFiles(RootCertPath, certificate, RootKeyPath, key, ReadIssuers(), RootCa.StartOver),
    };

    private IReadOnlyList<CertificateDocument> ReadIssuers() =>
        PemDocument.Parse(IssuerChainPath, StoreFile.Read(IssuerChainPath)).Certificates;

    /// <summary>The root-cert.pem of every directory that holds a cluster's files, of this topology or not.</summary>
    private List<(string Path, byte[]? File)> ClusterRoots() =>
    [
        .. from directory in StoreFile.Find(Location, "*").Order(StringComparer.Ordinal)
           where !Path.GetFileName(directory).StartsWith(StoreFile.TemporaryPrefix, StringComparison.Ordinal)
               && CacertsFile.OfCluster.Any(file => File.Exists(Path.Combine(directory, file)))
           let root = Path.Combine(directory, CacertsFile.RootCert)
           select (root, StoreFile.Read(root)),
    ];

    internal Dictionary<string, ReadOnlyMemory<byte>> ReadClusterFiles(ClusterName cluster)
    {
        var files = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        var directory = ClusterDirectory(cluster);
        if (!Directory.Exists(directory))
        {
            StoreFile.RefuseDanglingLink(directory);
            if (File.Exists(directory)) throw StoreFile.WrongKind(directory, "There is a file where the cluster's directory should be.");
            return files;
        }

        foreach (var file in CacertsFile.OfCluster)
            if (StoreFile.Read(ClusterPath(cluster, file)) is { } content) files.Add(file, content);
        return files;
    }

    /// <summary>
    /// Takes the lock, creates the directory if it is missing, completes what a killed run began, and removes its leftovers.
    /// Null if the directory cannot be written: then no process can write, and reading needs no lock.
    /// </summary>
    /// <exception cref="MeshTrustException">MT1005 after the deadline; MT1001 to MT1004 for an I/O error.</exception>
    internal async Task<FileLock?> LockAsync(IEnumerable<ClusterName> clusters, CancellationToken cancellationToken)
    {
        FileLock held;
        try
        {
            StoreFile.RefuseDanglingLink(Location);
            if (!Directory.Exists(Location)) AtomicFile.CreateDirectory(Location, secret: true);
            // This waits for another process, so it uses the real clock, whatever clock issues certificates.
            held = await FileLock.TakeAsync(LockPath, LockDeadline, Busy, TimeProvider.System, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is UnauthorizedAccessException or IOException { HResult: ReadOnlyFileSystem }
            && Directory.Exists(Location) && !Directory.Exists(LockPath))
        {
            return null;
        }
        catch (Exception fault) when (DiskFault.IsOne(fault))
        {
            throw DiskFault.From(Stage.CertificateAuthority, Directory.Exists(Location) ? LockPath : Location, fault);
        }

        try
        {
            FinishRoot();
            string[] directories = [Location, .. clusters.Select(ClusterDirectory)];
            foreach (var stray in directories.SelectMany(directory => StoreFile.Find(directory, TemporaryPattern))) StoreFile.Remove(stray);
            // Those of the plans of rotations and of the CRLs.
            AtomicFile.Sweep(Location);
            return held;
        }
        catch
        {
            held.Dispose();
            throw;
        }

        MeshTrustException Busy() => Fault("MT1005", LockPath,
            $"Waited {LockDeadline.TotalSeconds:0} s for another process that is writing CA material to this directory.",
            "Wait for it to finish, or stop it, then rerun.");
    }

    /// <summary>
    /// Writes a root if there is none: flushes both temporary files to disk, then renames the key into place, then the certificate.
    /// If it is killed in between, the next run finds the waiting certificate and renames it (<see cref="FinishRoot"/>).
    /// The chain of a CA under the root is not secret and means nothing without them, so it is written first.
    /// </summary>
    internal void WriteRoot(RootCa root, ReadOnlySpan<byte> key)
    {
        var staged = new List<(string From, string To)>();
        try
        {
            if (root.Chain.Count > 1) Put(IssuerChainPath, PemDocument.Write(root.Chain.SkipLast(1)));
            else StoreFile.Remove(IssuerChainPath);
            Put(RootKeyPath, key);
            Put(RootCertPath, root.CertificateFile.Span);
            if (Path.Exists(RootKeyPath) || Path.Exists(RootCertPath))
                throw new IOException("A root appeared while this one was being created.");
            foreach (var (from, to) in staged) File.Move(from, to, overwrite: to == IssuerChainPath);
        }
        catch (Exception fault) when (DiskFault.IsOne(fault))
        {
            // Once the key is in place, only the waiting certificate can complete the root.
            foreach (var (from, to) in staged) if (to != RootCertPath || !File.Exists(RootKeyPath)) StoreFile.Remove(from);
            throw DiskFault.From(Stage.CertificateAuthority, RootCertPath, fault);
        }

        void Put(string path, ReadOnlySpan<byte> content)
        {
            StoreFile.RefuseLink(path);
            staged.Add((StoreFile.TemporaryPath(Location, Path.GetFileName(path)), path));
            StoreFile.Create(staged[^1].From, content, isKey: path == RootKeyPath, flush: true);
        }
    }

    /// <summary>Puts another file of the same key in the old one's place, complete or not at all. The old one is not kept.</summary>
    internal void ReplaceRootKey(ReadOnlySpan<byte> key)
    {
        StoreFile.RefuseLink(RootKeyPath);
        var temporary = StoreFile.TemporaryPath(Location, CacertsFile.RootKey);
        try
        {
            StoreFile.Create(temporary, key, isKey: true, flush: true);
            File.Move(temporary, RootKeyPath, overwrite: true);
        }
        catch (Exception fault) when (DiskFault.IsOne(fault))
        {
            StoreFile.Remove(temporary);
            throw DiskFault.From(Stage.CertificateAuthority, RootKeyPath, fault);
        }
    }

    /// <summary>Completes the last step of writing a root: the key is in place, and its certificate still has its temporary name.</summary>
    private void FinishRoot()
    {
        if (!File.Exists(RootKeyPath) || Path.Exists(RootCertPath)) return;
        var waiting = StoreFile.Find(Location, StoreFile.TemporaryPrefix + CacertsFile.RootCert + "-*" + StoreFile.TemporarySuffix);
        if (Array.Find(waiting, Fits) is not { } certificate) return;
        DiskFault.Report(Stage.CertificateAuthority, RootCertPath, () => File.Move(certificate, RootCertPath));

        bool Fits(string path)
        {
            try
            {
                if (StoreFile.Read(path) is not { } certificateFile || StoreFile.Read(RootKeyPath) is not { } key) return false;
                RootCa.FromFiles(path, certificateFile, RootKeyPath, key, ReadIssuers(), RootCa.StartOver);
                return true;
            }
            catch (MeshTrustException)
            {
                return false;
            }
        }
    }

    /// <summary>Writes a cluster's files, as <see cref="StoreDirectory.Write"/> does.</summary>
    /// <returns>The paths of what was replaced; <see cref="RemoveReplaced"/> removes it.</returns>
    internal IReadOnlyList<string> WriteCluster(
        ClusterName cluster, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files, DateTimeOffset now) =>
        StoreDirectory.Write(Location, ClusterDirectory(cluster), files, now);

    private static MeshTrustException Fault(string id, string location, string message, string hint) =>
        new(Stage.CertificateAuthority, new Problem(id, location, message, hint));
}
