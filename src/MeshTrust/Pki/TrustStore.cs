using MeshTrust.IO;
using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>The directory of CA material in the layout of Istio's Makefile: <c>root-cert.pem</c>, <c>root-key.pem</c>, and four files for each cluster.</summary>
/// <remarks>
/// Keys are 0600 and directories 0700 from their creation. Whatever is written is written beside its place and then renamed into it,
/// under a lock for one process at a time; what a killed run left behind is swept by the next one.
/// </remarks>
public sealed class TrustStore
{
    /// <summary>The name of everything that is being written and not yet in its place: <c>.meshtrust-*.tmp</c>.</summary>
    public const string TemporaryPattern = StoreFile.TemporaryPrefix + "*" + StoreFile.TemporarySuffix;

    /// <summary>The store in a directory, which need not be there yet. Nothing is read or written by this.</summary>
    public TrustStore(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        Location = Path.GetFullPath(directory);
    }

    /// <summary>The directory, absolute.</summary>
    public string Location { get; }

    /// <summary>How long to wait for another process that writes here.</summary>
    /// <value>The default is five minutes: the other may be making a hundred RSA keys.</value>
    public TimeSpan LockDeadline { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The path of <c>root-cert.pem</c>.</summary>
    public string RootCertPath => Path.Combine(Location, CacertsFile.RootCert);

    /// <summary>The path of <c>root-key.pem</c>.</summary>
    public string RootKeyPath => Path.Combine(Location, CacertsFile.RootKey);

    /// <summary>The path of the lock; the file stays, empty of meaning, when nobody holds it.</summary>
    public string LockPath => Path.Combine(Location, ".meshtrust.lock");

    /// <summary>A cluster's directory.</summary>
    public string ClusterDirectory(ClusterName cluster)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        return Path.Combine(Location, cluster.Value);
    }

    /// <summary>The path of one of a cluster's files (<see cref="CacertsFile"/>).</summary>
    public string ClusterPath(ClusterName cluster, string file) => Path.Combine(ClusterDirectory(cluster), file);

    /// <summary>
    /// Every path that a run with this topology may leave here, but for replaced files (<c>*.pem.*.old</c>). While it runs there are also
    /// <see cref="TemporaryPattern"/> beside them.
    /// </summary>
    public IReadOnlyList<string> WritablePaths(MeshTopology topology)
    {
        ArgumentNullException.ThrowIfNull(topology);
        return
        [
            Location, LockPath, RootKeyPath, RootCertPath,
            .. topology.Clusters.Select(c => ClusterDirectory(c.Name)),
            .. topology.Clusters.SelectMany(c => CacertsFile.OfCluster.Select(f => ClusterPath(c.Name, f))),
        ];
    }

    /// <summary>The keys that a run with this topology will need for certain, so that they can be made ahead: the root's and those of missing intermediates.</summary>
    public IReadOnlyList<KeyAlgorithm> MissingKeys(MeshTopology topology)
    {
        ArgumentNullException.ThrowIfNull(topology);
        var keys = new List<KeyAlgorithm>();
        if (topology.Trust.RootCertificateFile is null && !File.Exists(RootCertPath) && !File.Exists(RootKeyPath)) keys.Add(topology.Trust.Root.Key);
        foreach (var cluster in topology.Clusters)
        {
            if (CacertsFile.OfCluster.Any(f => !File.Exists(ClusterPath(cluster.Name, f)))) keys.Add(topology.Trust.Intermediate.Key);
        }

        return keys;
    }

    /// <summary>Reads the root.</summary>
    /// <exception cref="MeshTrustException">MT5116 where it is not there, MT51xx where it does not fit, MT10xx where it cannot be read.</exception>
    public RootCa ReadRoot() => TryReadRoot() ?? throw new MeshTrustException(Stage.CertificateAuthority, PkiProblem.NoRoot(RootCertPath));

    /// <summary>Reads a cluster's four files; while another process writes here, up to a second until they fit.</summary>
    /// <exception cref="MeshTrustException">MT5113 where they are not there, MT5112 where they do not fit, MT10xx where they cannot be read.</exception>
    public ClusterCacerts ReadCacerts(ClusterName cluster)
    {
        var settled = false;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var files = ReadClusterFiles(cluster);
                if (files.Count == 0) throw new MeshTrustException(Stage.CertificateAuthority, PkiProblem.NoCacerts(ClusterDirectory(cluster), cluster));
                return ClusterCacerts.FromFiles(cluster, files);
            }
            // Four files cannot be read in one moment: a mix of old and new is read again, never handed on.
            catch (MeshTrustException fault) when (fault.Stage == Stage.CertificateAuthority && attempt <= 20 && !settled)
            {
                // Once nobody writes any more, one more look is the last.
                settled = !TrustStoreLock.IsTaken(LockPath);
                if (!settled) Thread.Sleep(50);
            }
        }
    }

    /// <summary>The root, or null where neither of its files is there.</summary>
    internal RootCa? TryReadRoot()
    {
        var certificate = StoreFile.Read(RootCertPath);
        var key = StoreFile.Read(RootKeyPath);
        if (certificate is null && key is null) return null;
        if (certificate is null) throw new MeshTrustException(Stage.CertificateAuthority, PkiProblem.RootHalfThere(RootKeyPath, RootCertPath));
        if (key is null) throw new MeshTrustException(Stage.CertificateAuthority, PkiProblem.RootHalfThere(RootCertPath, RootKeyPath));
        return RootCa.FromFiles(RootCertPath, certificate, RootKeyPath, key);
    }

    /// <summary>Those of a cluster's four files that are there.</summary>
    internal Dictionary<string, ReadOnlyMemory<byte>> ReadClusterFiles(ClusterName cluster)
    {
        var files = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        if (!Directory.Exists(ClusterDirectory(cluster)))
        {
            var directory = ClusterDirectory(cluster);
            StoreFile.RefuseDanglingLink(directory);
            if (File.Exists(directory)) throw new MeshTrustException(Stage.CertificateAuthority, DiskFault.WrongKind(directory, "A file stands where the cluster's directory should be."));
            return files;
        }

        foreach (var file in CacertsFile.OfCluster)
        {
            if (StoreFile.Read(ClusterPath(cluster, file)) is { } content) files.Add(file, content);
        }

        return files;
    }

    /// <summary>Takes the lock, makes the directory where it is missing, ends what a killed run had begun, and sweeps what it left.</summary>
    internal async Task<TrustStoreLock> LockAsync(IEnumerable<ClusterName> clusters, CancellationToken cancellationToken)
    {
        try
        {
            StoreFile.RefuseDanglingLink(Location);
            if (!Directory.Exists(Location)) StoreFile.CreateDirectory(Location);
        }
        catch (Exception fault) when (DiskFault.IsOne(fault))
        {
            throw DiskFault.From(Stage.CertificateAuthority, Location, fault);
        }

        // The wait is for another process, so it is the real clock's, whatever clock certificates are issued by.
        var held = await TrustStoreLock.TakeAsync(LockPath, LockDeadline, TimeProvider.System, cancellationToken).ConfigureAwait(false);
        try
        {
            if (held.MayWrite)
            {
                TrustStoreRecovery.FinishRoot(this);
                TrustStoreRecovery.Sweep(this, clusters);
            }

            return held;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Writes a root where there is none: both files whole and on the disk, then the key into its place, then the certificate.
    /// Killed in between, the next run finds the certificate still waiting and puts it into its place.
    /// </summary>
    internal void WriteRoot(ReadOnlySpan<byte> certificate, ReadOnlySpan<byte> key)
    {
        StoreFile.RefuseLink(RootKeyPath);
        StoreFile.RefuseLink(RootCertPath);
        var keyFile = StoreFile.TemporaryPath(Location, CacertsFile.RootKey);
        var certificateFile = StoreFile.TemporaryPath(Location, CacertsFile.RootCert);
        try
        {
            StoreFile.Create(keyFile, key, isKey: true, flush: true);
            StoreFile.Create(certificateFile, certificate, isKey: false, flush: true);
            if (Path.Exists(RootKeyPath) || Path.Exists(RootCertPath)) throw new IOException("A root appeared while this one was being made.");
            File.Move(keyFile, RootKeyPath);
            File.Move(certificateFile, RootCertPath);
        }
        catch (Exception fault) when (DiskFault.IsOne(fault))
        {
            TrustStoreRecovery.Remove(keyFile);
            // With the key in its place, the certificate that waits is the only way to finish.
            if (!File.Exists(RootKeyPath)) TrustStoreRecovery.Remove(certificateFile);
            throw DiskFault.From(Stage.CertificateAuthority, RootCertPath, fault);
        }
    }

    /// <summary>
    /// Writes a cluster's files. A new cluster appears as a whole directory at once. In a directory that is there, all new files are written
    /// and on the disk before the first is renamed: keys first, so that no mix of old and new can pass for a set that fits.
    /// What they replace is kept beside them under a name with the time, until <see cref="RemoveReplaced"/>.
    /// </summary>
    /// <returns>The paths of what was replaced.</returns>
    internal IReadOnlyList<string> WriteCluster(ClusterName cluster, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files, DateTimeOffset now)
    {
        var directory = ClusterDirectory(cluster);
        try
        {
            if (Directory.Exists(directory)) return ReplaceFiles(directory, files, now);
            CreateWhole(directory, cluster, files);
            return [];
        }
        catch (Exception fault) when (DiskFault.IsOne(fault))
        {
            throw DiskFault.From(Stage.CertificateAuthority, directory, fault);
        }
    }

    private void CreateWhole(string directory, ClusterName cluster, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files)
    {
        var staged = StoreFile.TemporaryPath(Location, cluster.Value);
        try
        {
            StoreFile.CreateDirectory(staged);
            // Not flushed one by one: a power cut can only cost an intermediate, which the next run finds broken and issues anew.
            foreach (var (file, content) in files) StoreFile.Create(Path.Combine(staged, file), content.Span, isKey: file == CacertsFile.CaKey, flush: false);
            Directory.Move(staged, directory);
        }
        catch (Exception fault) when (DiskFault.IsOne(fault))
        {
            TrustStoreRecovery.Remove(staged);
            throw;
        }
    }

    private static List<string> ReplaceFiles(string directory, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files, DateTimeOffset now)
    {
        var staged = new List<(string From, string To)>();
        var replaced = new List<string>();
        try
        {
            foreach (var (file, content) in files.OrderBy(f => f.Key == CacertsFile.CaKey ? 0 : 1))
            {
                var place = Path.Combine(directory, file);
                StoreFile.RefuseLink(place);
                if (Directory.Exists(place)) throw new MeshTrustException(Stage.CertificateAuthority, DiskFault.WrongKind(place, "A directory stands where a file should be."));
                if (StoreFile.Read(place) is { } old)
                {
                    replaced.Add(ReplacedFile.PathFor(place, now));
                    Prepare(replaced[^1], old, isKey: true);
                }

                Prepare(place, content.Span, isKey: file == CacertsFile.CaKey);
            }

            // What is replaced has its second place before the first file changes.
            foreach (var (from, to) in staged.OrderBy(s => replaced.Contains(s.To) ? 0 : 1)) File.Move(from, to, overwrite: true);
            return replaced;
        }
        finally
        {
            foreach (var (from, _) in staged) TrustStoreRecovery.Remove(from);
        }

        void Prepare(string place, ReadOnlySpan<byte> content, bool isKey)
        {
            var temporary = StoreFile.TemporaryPath(directory, Path.GetFileName(place));
            staged.Add((temporary, place));
            StoreFile.Create(temporary, content, isKey, flush: true);
        }
    }

    /// <summary>Removes what earlier runs replaced in these clusters' directories before a moment, now that its successors are proven.</summary>
    /// <returns>How many files were removed.</returns>
    public int RemoveReplaced(IEnumerable<ClusterName> clusters, DateTimeOffset before)
    {
        ArgumentNullException.ThrowIfNull(clusters);
        var old = clusters.SelectMany(c => ReplacedFile.In(ClusterDirectory(c), before)).ToList();
        foreach (var file in old) TrustStoreRecovery.Remove(file);
        return old.Count(file => !File.Exists(file));
    }
}
