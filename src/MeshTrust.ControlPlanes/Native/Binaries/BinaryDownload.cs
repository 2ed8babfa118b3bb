using MeshTrust.ControlPlanes.State;
using MeshTrust.IO;

namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>
/// Brings etcd and kube-apiserver into the store that Go's setup-envtest keeps. One process at a time; the archive is checked against its
/// SHA-512 before anything of it is unpacked, unpacked beside the store, run once, and only then renamed to its final name: whoever reads the
/// store meanwhile sees a whole version or none.
/// </summary>
public sealed class BinaryDownload(BinaryDownloadOptions options)
{
    private const long LargestIndex = 8L << 20;
    private const string Beside = "meshtrust-download";
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>For how long a version that is not complete is left alone: Go's tools unpack in place.</summary>
    private static readonly TimeSpan Unfinished = TimeSpan.FromMinutes(10);

    private readonly IReadOnlyDictionary<string, string> _environment = options.Environment ?? BinaryPlaces.OfThisProcess();
    private readonly ControlPlanePlatform _platform = ControlPlanePlatform.Current;

    /// <summary>The clock for waits and for what is stale.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>The archives whose hashes are known; another list in tests.</summary>
    internal IReadOnlyList<BinaryArchive> Pins { get; init; } = PinnedArchives.All;

    /// <summary>Takes a version from the store that matches; fetches the newest one that is known where none does.</summary>
    /// <exception cref="MeshTrustException">Stage ClusterCreation, MT2102 to MT2110: the store is as it was. MT1001 to MT1004: the disk.</exception>
    public async Task<BinaryDownloadOutcome> EnsureAsync(CancellationToken cancellationToken)
    {
        var store = Store();
        if (!options.Version.AsksIndex && OnDisk(store) is { } there) return there;
        if (WhyOffline() is { } why) throw DownloadFault.Offline(options.Version, store.Directory, store.Versions().Where(store.Has), why);

        using var fetch = new ArchiveFetch(options.StallTimeout, TimeProvider);
        var archive = await ChooseAsync(fetch, cancellationToken).ConfigureAwait(false);
        var place = Path.Combine(Path.GetDirectoryName(store.Directory)!, Beside);
        try
        {
            PrivateFile.CreateDirectory(place);
            using var held = await LockAsync(Path.Combine(place, "lock"), cancellationToken).ConfigureAwait(false);
            // Whoever had the lock may have brought it.
            if (store.Has(archive.Version) && Judge(store.PathOf(archive.Version), archive.Version, out _) is { } brought) return Outcome(store, archive.Version, brought, wasThere: true, isPinned: false);
            foreach (var left in Directory.EnumerateDirectories(place)) StoreDirectory.Delete(left);
            var staging = Directory.CreateDirectory(Path.Combine(place, $"staging-{Guid.NewGuid():n}")).FullName;
            try
            {
                return await BringAsync(fetch, archive, store, staging, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                StoreDirectory.Delete(staging);
            }
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            throw DiskFault.From(Stage.ClusterCreation, place, e);
        }
    }

    private async Task<BinaryDownloadOutcome> BringAsync(ArchiveFetch fetch, BinaryArchive archive, BinaryStore store, string staging, CancellationToken cancellationToken)
    {
        var file = Path.Combine(staging, "archive");
        var hash = await fetch.FetchAsync(archive.Address, file, options.LargestArchive, cancellationToken).ConfigureAwait(false);
        if (hash != archive.Sha512) throw DownloadFault.Hash(archive, hash);

        var unpacked = Directory.CreateDirectory(Path.Combine(staging, "unpacked")).FullName;
        try
        {
            await ArchiveExtraction.ExtractAsync(file, unpacked, archive.Platform, cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidDataException e)
        {
            throw DownloadFault.Content(archive.Address, e.Message.TrimEnd('.'), e);
        }

        if (Judge(unpacked, archive.Version, out var why) is null) throw DownloadFault.Unfit(archive.Address.ToString(), $"What it holds does not run: {why}");
        var final = store.PathOf(archive.Version);
        Directory.CreateDirectory(store.Directory);
        if (!StoreDirectory.TryMove(unpacked, final, () => TimeProvider.GetUtcNow() - Directory.GetLastWriteTimeUtc(final) > Unfinished && !store.Has(archive.Version)) && !store.Has(archive.Version))
            throw DownloadFault.Unfit(final, "It is not complete: another program unpacks into it, or was stopped while it did");
        return Judge(final, archive.Version, out why) is { } binaries
            ? Outcome(store, archive.Version, binaries, wasThere: false, archive.IsPinned)
            : throw DownloadFault.Unfit(final, $"It does not run: {why}");
    }

    private async Task<BinaryArchive> ChooseAsync(ArchiveFetch fetch, CancellationToken cancellationToken)
    {
        var pinned = Pins.Where(archive => archive.Platform == _platform).ToList();
        if (options.Index is null && !options.Version.AsksIndex && pinned.FirstOrDefault(archive => options.Version.Contains(archive.Version)) is { } known) return known;

        var index = options.Index ?? ArchiveIndex.Default;
        IReadOnlyList<BinaryArchive> listed;
        try
        {
            listed = ArchiveIndex.Parse(await fetch.ReadAsync(index, LargestIndex, cancellationToken).ConfigureAwait(false), index, _platform);
        }
        catch (FormatException e)
        {
            throw DownloadFault.Index(index, e.Message, e);
        }

        var chosen = listed.FirstOrDefault(archive => options.Version.Contains(archive.Version)) ?? throw DownloadFault.NoSuchVersion(options.Version, _platform, index.ToString(), listed.Select(archive => archive.Version));
        if (pinned.FirstOrDefault(archive => archive.Version == chosen.Version) is not { } pin) return chosen;
        return pin.Sha512 == chosen.Sha512 ? chosen with { IsPinned = true } : throw DownloadFault.Contradiction(chosen, pin, index);
    }

    private BinaryStore Store() => (options.StoreDirectory ?? BinaryStore.DefaultDirectory(_environment, _platform)) is { } directory
        ? new BinaryStore(directory, _platform)
        : throw DownloadFault.Unfit("store", $"There is no place for it: {(_platform.Os == "windows" ? "LocalAppData" : "HOME")} is not set");

    private BinaryDownloadOutcome? OnDisk(BinaryStore store) => store.Versions()
        .Where(version => options.Version.Contains(version) && store.Has(version))
        .Select(version => Judge(store.PathOf(version), version, out _) is { } binaries ? Outcome(store, version, binaries, wasThere: true, isPinned: false) : null)
        .FirstOrDefault(outcome => outcome is not null);

    private string? WhyOffline()
    {
        if (options.Version.OnDiskOnly) return $"{options.Version} asks for what is on disk";
        if (options.Offline) return "nothing may be fetched (--offline)";
        return _environment.GetValueOrDefault("ENVTEST_INSTALLED_ONLY") is { Length: > 0 } ? "nothing may be fetched (ENVTEST_INSTALLED_ONLY is set)" : null;
    }

    private static BinaryDownloadOutcome Outcome(BinaryStore store, KubernetesVersion version, ControlPlaneBinaries binaries, bool wasThere, bool isPinned) =>
        new() { Binaries = binaries, Directory = store.PathOf(version), WasThere = wasThere, IsPinned = isPinned };

    /// <summary>The programs of a directory, run for their versions; null, with the reason, where one does not run or is another version.</summary>
    private ControlPlaneBinaries? Judge(string directory, KubernetesVersion version, out string? why)
    {
        var (server, etcd, kubectl) = (In("kube-apiserver"), In("etcd"), In("kubectl"));
        (var serverVersion, why) = BinaryVersions.Ask(server, "kube-apiserver");
        if (serverVersion is null) return null;
        (var etcdVersion, why) = BinaryVersions.Ask(etcd, "etcd");
        if (etcdVersion is null) return null;
        if (KubernetesVersion.TryParse(serverVersion) != version) why = $"kube-apiserver says that it is {serverVersion}, not {version}";
        return why is not null ? null : new ControlPlaneBinaries
        {
            ApiServer = server, Etcd = etcd, Kubectl = File.Exists(kubectl) ? kubectl : null,
            Source = $"setup-envtest store {version}-{_platform}", Version = serverVersion, EtcdVersion = etcdVersion,
        };

        string In(string program) => Path.Combine(directory, _platform.FileName(program));
    }

    private async Task<FileStream> LockAsync(string path, CancellationToken cancellationToken)
    {
        var started = TimeProvider.GetTimestamp();
        while (true)
        {
            try
            {
                return PrivateFile.OpenExclusive(path);
            }
            catch (IOException e) when (DiskFault.IsTaken(e))
            {
                if (TimeProvider.GetElapsedTime(started) >= options.LockTimeout) throw DownloadFault.Held(path, options.LockTimeout);
            }

            await Task.Delay(Pause, TimeProvider, cancellationToken).ConfigureAwait(false);
        }
    }
}
