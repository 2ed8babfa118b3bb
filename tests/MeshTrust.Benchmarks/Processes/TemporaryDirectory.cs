namespace MeshTrust.Benchmarks.Processes;

/// <summary>A directory of mode 0700 that is removed when the measurement ends.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Location { get; } = Directory.CreateTempSubdirectory("meshtrust-bench-").FullName;

    public void Dispose() => Directory.Delete(Location, recursive: true);
}
