using MeshTrust.ControlPlanes.Native.Binaries;

namespace MeshTrust.Tests.ControlPlanes.Native.Binaries;

/// <summary>A store and a server for each test.</summary>
[Platform(Exclude = "Win", Reason = "the stand-ins are shell scripts")]
public abstract class BinaryDownloadFixture
{
    private protected static readonly string Platform = ControlPlanePlatform.Current.ToString();

    private protected FakeBinaries Fake { get; private set; } = null!;

    private protected LocalArchives Server { get; private set; } = null!;

    private protected string Store => Path.Combine(Fake.Root, "store");

    /// <summary>What is in the store, versions and leftovers, without the lock.</summary>
    private protected IReadOnlyList<string> Held => Fake is not null && Directory.Exists(Store)
        ? [.. Directory.EnumerateFileSystemEntries(Store, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(Store, path)).Where(path => path is not ("k8s" or "meshtrust-download" or "meshtrust-download/lock")).Order(StringComparer.Ordinal)]
        : [];

    [SetUp]
    public async Task Begin()
    {
        Fake = new FakeBinaries();
        Server = await LocalArchives.StartAsync();
    }

    [TearDown]
    public async Task End()
    {
        if (Server is not null) await Server.DisposeAsync();
        Fake?.Dispose();
    }

    private protected BinaryDownload Options(string version = "latest") => new()
    {
        Version = VersionRange.TryParse(version)!, StoreDirectory = Store, Index = Server.Index, StallTimeout = TimeSpan.FromSeconds(20), LockTimeout = TimeSpan.FromSeconds(60),
        Environment = new Dictionary<string, string>(),
    };

    private protected Task<BinaryDownloadOutcome> EnsureAsync(string version = "latest") => Options(version).EnsureAsync(CancellationToken.None);

    private protected static async Task<Problem> FailAsync(BinaryDownload options)
    {
        var fault = await Assert.ThrowsAsync<MeshTrustException>(() => options.EnsureAsync(CancellationToken.None));
        Assert.That(fault!.Stage, Is.EqualTo(Stage.ClusterCreation));
        return fault.Problems.Single();
    }
}
