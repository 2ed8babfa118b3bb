using MeshTrust.Pki;
using MeshTrust.Settings;
using Microsoft.Extensions.Time.Testing;

namespace MeshTrust.Tests.Pki;

/// <summary>A store in its own directory, a fixed clock, and fast keys.</summary>
internal sealed class StoreFixture : IDisposable
{
    public StoreFixture()
    {
        Temporary = Directory.CreateTempSubdirectory("meshtrust-pki-").FullName;
        Store = new TrustStore(Path.Combine(Temporary, "certs"));
    }

    public string Temporary { get; }

    public TrustStore Store { get; }

    public KeyPool Keys { get; } = new();

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 8, 22, 10, 0, 0, 500, TimeSpan.Zero));

    public TrustSpec Trust { get; set; } = QuickTrust();

    public static TrustSpec QuickTrust(KeyAlgorithm root = KeyAlgorithm.EcdsaP256, KeyAlgorithm intermediate = KeyAlgorithm.EcdsaP256) => new()
    {
        Root = TrustSpec.Default.Root with { Key = root },
        Intermediate = TrustSpec.Default.Intermediate with { Key = intermediate },
    };

    public MeshTopology Topology(params string[] clusters) => new()
    {
        Clusters = [.. clusters.Select(c => new ClusterSpec { Name = ClusterName.Parse(c) })],
        Trust = Trust,
    };

    public Task<IssueOutcome<RootCa>> RootAsync() => RootCaIssuer.EnsureAsync(Store, Trust, Keys, Time);

    public Task<IReadOnlyList<IssueOutcome<ClusterCacerts>>> ClustersAsync(params string[] clusters) => IntermediateCaIssuer.EnsureAsync(Store, Topology(clusters), Keys, Time);

    public async Task<ClusterCacerts> OneClusterAsync(string cluster = "east")
    {
        await RootAsync();
        return (await ClustersAsync(cluster))[0].Material;
    }

    public string PathOf(string relative) => Path.Combine(Store.Location, relative);

    /// <summary>Every file of the store with its content, as comparable text.</summary>
    public IReadOnlyDictionary<string, string> Content() => Directory.EnumerateFiles(Store.Location, "*", SearchOption.AllDirectories)
        .Where(f => f != Store.LockPath)
        .ToDictionary(f => Path.GetRelativePath(Store.Location, f), f => Convert.ToHexString(File.ReadAllBytes(f)));

    public static UnixFileMode ModeOf(string path) => OperatingSystem.IsWindows() ? UnixFileMode.None : File.GetUnixFileMode(path);

    public static void SetMode(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, mode);
    }

    public void Dispose()
    {
        Keys.Dispose();
        if (Directory.Exists(Store.Location)) SetMode(Store.Location, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.Delete(Temporary, recursive: true);
    }
}
