using MeshTrust.IO;

namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>The result of a download, or of finding the version on disk.</summary>
/// <param name="Binaries">The programs, with their versions.</param>
/// <param name="Directory">The directory of the version in the store.</param>
/// <param name="WasThere">Whether it already existed, so that nothing was downloaded.</param>
/// <param name="IsPinned">
/// Whether the archive matched a hash pinned in MeshTrust; false if only the index vouches for it, or nothing was downloaded.
/// </param>
internal sealed record BinaryDownloadOutcome(ControlPlaneBinaries Binaries, string Directory, bool WasThere, bool IsPinned);

/// <summary>
/// Downloads etcd and kube-apiserver into the store of Go's setup-envtest. One process at a time; the archive is checked against its
/// SHA-512 before anything is unpacked, unpacked next to the store, run once, and only then renamed to its final name: anyone who reads
/// the store meanwhile sees a complete version or none.
/// </summary>
internal sealed record BinaryDownload
{
    private const long LargestIndex = 8L << 20;
    private const string Beside = "meshtrust-download";

    /// <summary>How long an incomplete version is left alone: Go's tools unpack in place.</summary>
    private static readonly TimeSpan Unfinished = TimeSpan.FromMinutes(10);

    private static readonly ControlPlanePlatform Platform = ControlPlanePlatform.Current;

    /// <summary>Which versions do: one on disk first, else the newest that is known.</summary>
    public VersionRange Version { get; init; } = VersionRange.Any;

    /// <summary>The store that is shared with Go's setup-envtest; null for where setup-envtest keeps it on this platform.</summary>
    public string? StoreDirectory { get; init; }

    /// <summary>
    /// The index of a mirror, in the form of setup-envtest's; null for setup-envtest's own, which is queried only if the version is not
    /// pinned. HTTPS; HTTP only on loopback. An archive whose hash MeshTrust carries has to have that hash, wherever it comes from.
    /// </summary>
    public Uri? Index { get; init; }

    /// <summary>
    /// Whether nothing may be fetched: only what is on disk does. <c>ENVTEST_INSTALLED_ONLY</c>, set to anything, says the same.
    /// </summary>
    public bool Offline { get; init; }

    /// <summary>How long to wait for another process that is downloading into the same store.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a server may send nothing before an attempt fails; there are three attempts.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The maximum size of an archive, in bytes.</summary>
    public long LargestArchive { get; init; } = 512L << 20;

    /// <summary>The variables to read.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = BinaryLocator.Variables();

    /// <summary>The clock for waits and for what is stale.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>The archives whose hashes are known; null for those that MeshTrust carries.</summary>
    public IReadOnlyList<BinaryArchive>? Pins { get; init; }

    /// <summary>Takes a version from the store that matches; fetches the newest one that is known where none does.</summary>
    /// <exception cref="MeshTrustException">
    /// Stage ClusterCreation, MT2102 to MT2110: the store is unchanged. MT1001 to MT1004: the disk.
    /// </exception>
    public async Task<BinaryDownloadOutcome> EnsureAsync(CancellationToken cancellationToken)
    {
        var store = Store();
        if (!Version.AsksIndex && OnDisk(store) is { } there) return there;
        if (WhyOffline() is { } why) throw OfflineFault(store, why);

        using var fetch = new ArchiveFetch(StallTimeout, TimeProvider);
        var archive = await ChooseAsync(fetch, cancellationToken).ConfigureAwait(false);
        var place = Path.Combine(Path.GetDirectoryName(store.Location)!, Beside);
        try
        {
            AtomicFile.CreatePrivateDirectory(place);
            var path = Path.Combine(place, "lock");
            using var held = await FileLock.TakeAsync(path, LockTimeout, () => HeldFault(path), TimeProvider, cancellationToken)
                .ConfigureAwait(false);

            // The process that had the lock may have downloaded it.
            if (store.Has(archive.Version) && Judge(store.PathOf(archive.Version), archive.Version, out _) is { } brought)
                return new BinaryDownloadOutcome(brought, store.PathOf(archive.Version), WasThere: true, IsPinned: false);
            foreach (var left in Directory.EnumerateDirectories(place)) Delete(left);
            var staging = Directory.CreateDirectory(Path.Combine(place, $"staging-{Guid.NewGuid():n}")).FullName;
            try
            {
                return await BringAsync(fetch, archive, store, staging, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                Delete(staging);
            }
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            throw DiskFault.From(Stage.ClusterCreation, place, e);
        }
    }

    private async Task<BinaryDownloadOutcome> BringAsync(
        ArchiveFetch fetch, BinaryArchive archive, BinaryStore store, string staging, CancellationToken cancellationToken)
    {
        var file = Path.Combine(staging, "archive");
        var hash = await fetch.FetchAsync(archive.Address, file, LargestArchive, cancellationToken).ConfigureAwait(false);
        if (hash != archive.Sha512) throw HashFault(archive, hash);

        var unpacked = Directory.CreateDirectory(Path.Combine(staging, "unpacked")).FullName;
        try
        {
            await archive.ExtractAsync(file, unpacked, cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidDataException e)
        {
            throw Fault("MT2107", archive.Address.ToString(),
                $"The archive is not a valid envtest archive: {e.Message.TrimEnd('.')}. Nothing of it is left on disk.",
                "Do not use it; use another version, or another mirror.", e);
        }

        if (Judge(unpacked, archive.Version, out var why) is null)
            throw UnfitFault(archive.Address.ToString(), $"Its content does not run: {why}");
        var final = store.PathOf(archive.Version);
        Directory.CreateDirectory(store.Location);
        if (!TryMove(unpacked, final, store.Has(archive.Version)) && !store.Has(archive.Version))
            throw UnfitFault(final, "It is incomplete: another program is unpacking into it, or was stopped while it did");
        return Judge(final, archive.Version, out why) is { } binaries
            ? new BinaryDownloadOutcome(binaries, final, WasThere: false, archive.IsPinned)
            : throw UnfitFault(final, $"It does not run: {why}");
    }

    private async Task<BinaryArchive> ChooseAsync(ArchiveFetch fetch, CancellationToken cancellationToken)
    {
        var pinned = (Pins ?? BinaryArchive.ReadPins()).Where(archive => archive.Platform == Platform).ToList();
        if (Index is null && !Version.AsksIndex && pinned.Find(archive => Version.Contains(archive.Version)) is { } known) return known;

        var index = Index ?? BinaryArchive.DefaultIndex;
        IReadOnlyList<BinaryArchive> listed;
        try
        {
            var text = await fetch.ReadAsync(index, LargestIndex, cancellationToken).ConfigureAwait(false);
            listed = BinaryArchive.ReadIndex(text, index, Platform);
        }
        catch (FormatException e)
        {
            throw Fault("MT2103", index.ToString(), $"The index of archives cannot be read: {e.Message}.",
                "Open the address in a browser; set a mirror with --binaries-index.", e);
        }

        var chosen = listed.FirstOrDefault(archive => Version.Contains(archive.Version)) ?? throw Fault("MT2102", index.ToString(),
            $"It has no archive for {Platform} that matches {Version}. It has: {List(listed.Select(archive => archive.Version))}.",
            "Choose one of these with --binaries-version, or build the programs and set KUBEBUILDER_ASSETS to their directory.");
        if (pinned.Find(archive => archive.Version == chosen.Version) is not { } pin) return chosen;
        return pin.Sha512 == chosen.Sha512 ? chosen with { IsPinned = true } : throw Fault("MT2106", index.ToString(),
            $"The index lists a SHA-512 for {BinaryArchive.FileName(chosen.Version, Platform)} other than the one pinned in MeshTrust "
                + $"({pin.Sha512[..16]}...): the archive was replaced. Nothing was downloaded.",
            "Find out who replaced it before you use it; use another version with --binaries-version meanwhile.");
    }

    private BinaryStore Store() => (StoreDirectory ?? BinaryStore.DefaultDirectory(Environment, Platform)) is { } directory
        ? new BinaryStore(directory, Platform)
        : throw UnfitFault("store", $"It has no location: {(Platform.Os == "windows" ? "LocalAppData" : "HOME")} is not set");

    private BinaryDownloadOutcome? OnDisk(BinaryStore store) => store.Versions()
        .Where(version => Version.Contains(version) && store.Has(version))
        .Select(version => Judge(store.PathOf(version), version, out _) is { } binaries
            ? new BinaryDownloadOutcome(binaries, store.PathOf(version), WasThere: true, IsPinned: false)
            : null)
        .FirstOrDefault(outcome => outcome is not null);

    private string? WhyOffline()
    {
        if (Version.OnDiskOnly) return $"{Version} allows only versions on disk";
        if (Offline) return "downloads are disabled (--offline)";
        return Environment.GetValueOrDefault("ENVTEST_INSTALLED_ONLY") is { Length: > 0 }
            ? "downloads are disabled (ENVTEST_INSTALLED_ONLY is set)"
            : null;
    }

    /// <summary>
    /// The programs of a directory, run for their versions; null, with the reason, where one does not run or is another version.
    /// </summary>
    private static ControlPlaneBinaries? Judge(string directory, KubernetesVersion version, out string? why)
    {
        var (server, etcd, kubectl) = (In("kube-apiserver"), In("etcd"), In("kubectl"));
        (var serverVersion, why) = ProgramVersion.Ask(server, "kube-apiserver");
        if (serverVersion is null) return null;
        (var etcdVersion, why) = ProgramVersion.Ask(etcd, "etcd");
        if (etcdVersion is null) return null;
        if (KubernetesVersion.TryParse(serverVersion) != version) why = $"kube-apiserver reports version {serverVersion}, not {version}";
        return why is not null ? null : new ControlPlaneBinaries
        {
            ApiServer = server, Etcd = etcd, Kubectl = File.Exists(kubectl) ? kubectl : null,
            Source = $"setup-envtest store {version}-{Platform}", Version = serverVersion, EtcdVersion = etcdVersion,
        };

        string In(string program) => Path.Combine(directory, Platform.FileName(program));
    }

    /// <summary>Renames a directory to its final name, in one step. An existing one stays, unless it is incomplete and old.</summary>
    private bool TryMove(string from, string to, bool isComplete)
    {
        if (Directory.Exists(to))
        {
            if (isComplete || TimeProvider.GetUtcNow() - Directory.GetLastWriteTimeUtc(to) <= Unfinished) return false;
            Delete(to);
        }

        try
        {
            Directory.Move(from, to);
            return true;
        }
        catch (IOException) when (Directory.Exists(to))
        {
            return false;
        }
    }

    /// <summary>Removes a directory, which Go's setup-envtest makes read-only; what cannot be removed stays until the next time.</summary>
    private static void Delete(string path)
    {
        try
        {
            if (!Directory.Exists(path)) return;
            if (!OperatingSystem.IsWindows())
            {
                foreach (var directory in Directory.EnumerateDirectories(path, "*", SearchOption.AllDirectories).Prepend(path).ToList())
                    File.SetUnixFileMode(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }

            Directory.Delete(path, recursive: true);
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            // It does no harm: it is next to the store.
        }
    }

    private static MeshTrustException HashFault(BinaryArchive archive, string actual) => Fault("MT2105", archive.Address.ToString(),
        $"The SHA-512 of the archive is not the expected one.\n"
            + $"  SHA-512 expected ({(archive.IsPinned ? "pinned in MeshTrust" : "from the index")}): {archive.Sha512}\n"
            + $"  SHA-512 of the download: {actual}\nNothing was unpacked; the archive was deleted.",
        "Run again. If it persists, a proxy or another party is modifying the download: do not use it.");

    private MeshTrustException HeldFault(string path) => Fault("MT2108", path,
        $"Another process is downloading into this store, and did not finish within {LockTimeout.TotalSeconds:0} s.",
        "Wait for it to finish, and run again; the lock ends with its process.");

    private MeshTrustException OfflineFault(BinaryStore store, string why) => Fault("MT2109", store.Location,
        $"The store has no version that matches {Version} (it has: {List(store.Versions().Where(store.Has))}), and {why}.",
        $"Run once without this setting and with a network, or copy a version's directory into it; or {ArchiveFetch.Otherwise}.");

    private static MeshTrustException UnfitFault(string place, string why) => Fault("MT2110", place, $"{why}.",
        "Delete it and run again; the store must not be on a file system mounted noexec (XDG_DATA_HOME moves it).");

    private static string List(IEnumerable<KubernetesVersion> versions) =>
        string.Join(", ", versions.Order()) is { Length: > 0 } list ? list : "none";

    private static MeshTrustException Fault(string id, string location, string message, string hint, Exception? inner = null) =>
        new(Stage.ClusterCreation, new Problem(id, location, message, hint), inner);
}
