using System.Formats.Tar;
using System.IO.Compression;
using System.Text.RegularExpressions;
using MeshTrust.IO;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>An archive with the programs of one version for one platform.</summary>
/// <param name="Version">The version of kube-apiserver in it.</param>
/// <param name="Platform">What it is built for.</param>
/// <param name="Sha512">Its SHA-512, 128 lower-case hexadecimal digits.</param>
/// <param name="Address">Where it is.</param>
/// <param name="IsPinned">Whether the hash is pinned in MeshTrust, so that it does not come from the same source as the archive.</param>
internal sealed partial record BinaryArchive(
    KubernetesVersion Version, ControlPlanePlatform Platform, string Sha512, Uri Address, bool IsPinned)
{
    private const string Resource = "MeshTrust.ControlPlanes.Native.Binaries.envtest.pins";
    private const string Releases = "https://github.com/kubernetes-sigs/controller-tools/releases/download";
    private const long MostUnpacked = 2L << 30;
    private const UnixFileMode ExecutableByAll = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private static readonly string[] Programs = [.. BinaryStore.Needed, "kubectl"];

    /// <summary>
    /// The index that setup-envtest reads: <c>releases: v1.32.0: envtest-v1.32.0-linux-amd64.tar.gz: {hash, selfLink}</c>.
    /// </summary>
    public static Uri DefaultIndex { get; } =
        new("https://raw.githubusercontent.com/kubernetes-sigs/controller-tools/HEAD/envtest-releases.yaml");

    /// <summary>The file name that the index gives an archive.</summary>
    public static string FileName(KubernetesVersion version, ControlPlanePlatform platform) => $"envtest-v{version}-{platform}.tar.gz";

    /// <summary>
    /// The archives whose hashes are pinned in MeshTrust (<c>envtest.pins</c>), newest first. The index is a changing file at the same
    /// origin as the archives: its hashes detect a broken transfer, these detect a replaced archive.
    /// </summary>
    public static IReadOnlyList<BinaryArchive> ReadPins()
    {
        using var stream = typeof(BinaryArchive).Assembly.GetManifestResourceStream(Resource)!;
        using var reader = new StreamReader(stream);
        var archives = new List<BinaryArchive>();
        while (reader.ReadLine() is { } line)
        {
            if (line.Length == 0 || line[0] == '#') continue;
            if (line.Split(' ', '-') is not [var number, var os, var architecture, var hash]
                || KubernetesVersion.TryParse(number) is not { } version)
                throw new InvalidDataException($"A line of envtest.pins cannot be read: '{line}'.");
            var platform = new ControlPlanePlatform(os, architecture);
            var address = new Uri($"{Releases}/envtest-v{version}/{FileName(version, platform)}");
            archives.Add(new BinaryArchive(version, platform, hash, address, IsPinned: true));
        }

        return archives;
    }

    /// <summary>
    /// The archives that an index has for a platform, newest first. Entries that are not archives, or lack a SHA-512 or address, are
    /// skipped; relative addresses are resolved against <paramref name="source"/>.
    /// </summary>
    /// <exception cref="FormatException">It is not a valid index.</exception>
    public static IReadOnlyList<BinaryArchive> ReadIndex(string text, Uri source, ControlPlanePlatform platform)
    {
        var index = BoundedYaml.Read(text, new YamlLimits());
        if (index.Root is null && index.Faults is [var fault, ..]) throw new FormatException($"it is not YAML (line {fault.Line})");
        if (index.Root.Find("releases") is not YamlMappingNode releases) throw new FormatException("it has no releases");
        var found =
            from release in releases.Children
            let version = KubernetesVersion.TryParse(release.Key.Text())
            where version is not null
            let entry = release.Value.Find(FileName(version, platform))
            let hash = entry.Find("hash")?.Text() ?? ""
            where HashForm().IsMatch(hash)
            let link = entry.Find("selfLink")?.Text() is { Length: > 0 } named ? named : FileName(version, platform)
            let address = Uri.TryCreate(source, link, out var uri) ? uri : null
            where address is not null
            orderby version descending
            select new BinaryArchive(version, platform, hash.ToLowerInvariant(), address, IsPinned: false);
        return [.. found];
    }

    /// <summary>
    /// Extracts the programs of an archive, by their names only. An archive with a link, a device, a path outside the archive, or a
    /// duplicate program is not a valid envtest archive, whatever its hash: all of it is rejected.
    /// </summary>
    /// <exception cref="InvalidDataException">It is rejected, or truncated; the message is a clause.</exception>
    public async Task ExtractAsync(string file, string directory, CancellationToken cancellationToken)
    {
        var wanted = Programs.Select(Platform.FileName).ToHashSet(StringComparer.Ordinal);
        var taken = new HashSet<string>(StringComparer.Ordinal);
        await using var packed = File.OpenRead(file);
        await using var unzipped = new GZipStream(packed, CompressionMode.Decompress);
        await using var tar = new TarReader(unzipped);
        long total = 0;
        try
        {
            while (await tar.GetNextEntryAsync(copyData: false, cancellationToken).ConfigureAwait(false) is { } entry)
            {
                if ((total += entry.Length) > MostUnpacked)
                    throw new InvalidDataException($"it contains more than {MostUnpacked >> 30} GiB");
                if (entry.EntryType is TarEntryType.GlobalExtendedAttributes) continue;
                var name = CheckedName(entry);
                if (entry.EntryType is TarEntryType.Directory || !wanted.Contains(name)) continue;
                if (!taken.Add(name)) throw new InvalidDataException($"it contains {name} twice");
                await SaveAsync(entry, Path.Combine(directory, name), cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is EndOfStreamException or FormatException)
        {
            throw new InvalidDataException("it is truncated, or not a valid tar.gz", e);
        }

        var missing = BinaryStore.Needed.Where(program => !taken.Contains(Platform.FileName(program))).ToList();
        if (missing.Count > 0) throw new InvalidDataException($"it does not contain {string.Join(" or ", missing)}");
    }

    private static string CheckedName(TarEntry entry)
    {
        var parts = entry.Name.Split('/', '\\');
        if (parts[0].Length == 0 || parts.Contains("..") || entry.Name.Contains(':', StringComparison.Ordinal))
            throw new InvalidDataException("it contains a path outside the archive");
        if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.Directory))
            throw new InvalidDataException("it contains a link or a device");
        return parts[^1];
    }

    private static async Task SaveAsync(TarEntry entry, string path, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = ExecutableByAll;
        await using var target = new FileStream(path, options);
        if (entry.DataStream is { } data) await data.CopyToAsync(target, cancellationToken).ConfigureAwait(false);

        // Flushed to disk before its directory gets its final name: a power failure must not leave an empty program there.
        target.Flush(flushToDisk: true);
    }

    [GeneratedRegex(@"^[0-9a-fA-F]{128}\z", RegexOptions.CultureInvariant)]
    private static partial Regex HashForm();
}
