using MeshTrust;
using MeshTrust.IO;
using MeshTrust.Kind;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>What MeshTrust made from one work directory: <c>kind/&lt;cluster&gt;/state.json</c> for each cluster, <c>kind/merged.json</c>, and <c>lock.json</c> with the addresses.</summary>
/// <param name="workDirectory">The work directory (absolute).</param>
public sealed class KindStates(string workDirectory)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly string _root = Path.Combine(workDirectory, "kind");

    private string MergedFile => Path.Combine(_root, MergedContexts.FileName);

    private string LockFile => Path.Combine(workDirectory, AddressLock.FileName);

    /// <summary>The directory of one cluster.</summary>
    public string DirectoryOf(ClusterName cluster)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        return Path.Combine(_root, cluster.Value);
    }

    /// <summary>The state of one cluster; null where nothing was made.</summary>
    /// <exception cref="MeshTrustException">MT2301: the file is none that this version reads; MT1001 to MT1004: the disk.</exception>
    public KindState? Read(ClusterName cluster)
    {
        var file = Path.Combine(DirectoryOf(cluster), KindState.FileName);
        return ReadText(file) is { } text ? KindState.Parse(text, file) : null;
    }

    /// <summary>The clusters of which there is a state, in the order of their names.</summary>
    public IReadOnlyList<ClusterName> Clusters() => !Directory.Exists(_root) ? [] :
    [
        .. Directory.EnumerateDirectories(_root).Order(StringComparer.Ordinal)
            .Select(directory => ClusterName.TryParse(Path.GetFileName(directory), out var name) ? name : null).OfType<ClusterName>(),
    ];

    /// <summary>Writes the state of one cluster, whole or not at all.</summary>
    public void Write(ClusterName cluster, KindState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        Write(cluster, KindState.FileName, state.ToJson());
    }

    /// <summary>Writes another file beside the state, and says where it is.</summary>
    public string Write(ClusterName cluster, string name, string text)
    {
        var path = Path.Combine(DirectoryOf(cluster), name);
        new OutputFile(path, text, IsSecret: true).Write();
        return path;
    }

    /// <summary>Forgets a cluster: its state, and its addresses.</summary>
    public void Remove(ClusterName cluster)
    {
        var directory = DirectoryOf(cluster);
        try
        {
            if (Directory.Exists(directory)) Directory.Delete(directory, recursive: true);
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            throw DiskFault.From(Stage.ClusterCreation, directory, e);
        }

        if (ReadAddresses() is { } addresses) WriteAddresses(addresses.Without(cluster));
    }

    /// <summary>The addresses that earlier runs gave out; null for none. What the lock file lacks, or all of it where it was lost, comes from the clusters' own states.</summary>
    public AddressLock? ReadAddresses()
    {
        var kept = ReadText(LockFile) is { } text ? AddressLock.Parse(text, LockFile) : null;
        var lost = Clusters().Where(cluster => kept?.Clusters.Any(there => there.Cluster == cluster) != true).Select(AddressesOf).OfType<ClusterAddresses>().ToList();
        return lost.Count == 0 ? kept : (kept ?? new AddressLock()) with { Clusters = [.. kept?.Clusters ?? [], .. lost] };
    }

    private ClusterAddresses? AddressesOf(ClusterName cluster)
    {
        try
        {
            return Read(cluster)?.Addresses;
        }
        catch (MeshTrustException e) when (e.Problems[0].Id == "MT2301")
        {
            // Told when that cluster is judged; a run that has nothing to do with it is not stopped by it.
            return null;
        }
    }

    /// <summary>Keeps the addresses for the next run.</summary>
    public void WriteAddresses(AddressLock addresses)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        new OutputFile(LockFile, addresses.ToJson()).Write();
    }

    /// <summary>What was brought into kubeconfigs of the user's.</summary>
    /// <exception cref="MeshTrustException">MT2301: the file is none that this version reads; MT1001 to MT1004: the disk.</exception>
    internal MergedContexts ReadMerged() => ReadText(MergedFile) is { } text ? MergedContexts.Parse(text, MergedFile) : MergedContexts.None;

    /// <summary>Keeps what was brought into kubeconfigs of the user's.</summary>
    internal void WriteMerged(MergedContexts merged)
    {
        ArgumentNullException.ThrowIfNull(merged);
        if (merged.Contexts.Count > 0 || File.Exists(MergedFile)) new OutputFile(MergedFile, merged.ToJson(), IsSecret: true).Write();
    }

    /// <summary>Keeps other runs off the kind clusters of this work directory until it is disposed. The lock ends with its process: no stale one is left.</summary>
    /// <exception cref="MeshTrustException">MT2320: another run has it; MT1001 to MT1004: the disk.</exception>
    public async Task<IDisposable> LockAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(time);
        var path = Path.Combine(_root, ".lock");
        var start = time.GetTimestamp();
        try
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(_root);
            else Directory.CreateDirectory(_root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            while (true)
            {
                try
                {
                    return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
                }
                catch (IOException) when (File.Exists(path) && time.GetElapsedTime(start) < Patience)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(100), time, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch (IOException) when (File.Exists(path))
        {
            throw new MeshTrustException(Stage.ClusterCreation, new Problem("MT2320", _root,
                "Another run works on the kind clusters of this work directory.",
                "Let it end, or stop it, and run again; or take another work directory with --work-dir."));
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            throw DiskFault.From(Stage.ClusterCreation, path, e);
        }
    }

    private static string? ReadText(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllText(path) : null;
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            throw DiskFault.From(Stage.ClusterCreation, path, e);
        }
    }
}
