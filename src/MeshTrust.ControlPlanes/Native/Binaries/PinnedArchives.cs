namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>
/// The archives whose hashes MeshTrust carries (<c>envtest.pins</c>). The index is a moving file at the same origin as the archives: its hashes
/// tell of a broken transfer, these of an archive that is no longer what it was.
/// </summary>
internal static class PinnedArchives
{
    private const string Resource = "MeshTrust.ControlPlanes.Native.Binaries.envtest.pins";
    private const string Releases = "https://github.com/kubernetes-sigs/controller-tools/releases/download";

    /// <summary>All of them, in the order of the file: newest first.</summary>
    public static IReadOnlyList<BinaryArchive> All { get; } = Read();

    private static List<BinaryArchive> Read()
    {
        using var stream = typeof(PinnedArchives).Assembly.GetManifestResourceStream(Resource)!;
        using var reader = new StreamReader(stream);
        var archives = new List<BinaryArchive>();
        while (reader.ReadLine() is { } line)
        {
            if (line.Length == 0 || line[0] == '#') continue;
            if (line.Split(' ') is not [var number, var name, var hash] || KubernetesVersion.TryParse(number) is not { } version || name.Split('-') is not [var os, var architecture])
                throw new InvalidDataException($"A line of envtest.pins cannot be read: '{line}'.");
            var platform = new ControlPlanePlatform(os, architecture);
            archives.Add(new BinaryArchive(version, platform, hash, new Uri($"{Releases}/envtest-v{version}/{BinaryArchive.FileName(version, platform)}"), IsPinned: true));
        }

        return archives;
    }
}
