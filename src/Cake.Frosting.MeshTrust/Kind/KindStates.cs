using MeshTrust;
using MeshTrust.IO;
using MeshTrust.Kind;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>
/// What MeshTrust created from one work directory: <c>kind/&lt;cluster&gt;/state.json</c> for each cluster, <c>kind/merged.json</c>, and
/// <c>lock.json</c> with the assigned addresses, including those of clusters that do not exist yet.
/// </summary>
internal sealed class KindStates(string workDirectory)
{
    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(5);
    private readonly string _root = Path.Combine(workDirectory, "kind");
    private string MergedFile => Path.Combine(_root, MergedContexts.FileName);
    private string LockFile => Path.Combine(workDirectory, AddressLock.FileName);
    public string DirectoryOf(ClusterName cluster) => Path.Combine(_root, cluster.Value);

    /// <summary>Where kind writes its kubeconfig of a cluster; nothing else uses this file.</summary>
    public string KindKubeconfigOf(ClusterName cluster) => Path.Combine(DirectoryOf(cluster), "kubeconfig");
    public string KindConfigOf(ClusterName cluster) => Path.Combine(DirectoryOf(cluster), "kind-config.yaml");
    public string StateOf(ClusterName cluster) => Path.Combine(DirectoryOf(cluster), KindState.FileName);

    /// <summary>The clusters that have a state, in the order of their names.</summary>
    public IReadOnlyList<ClusterName> Clusters() => !Directory.Exists(_root) ? [] :
    [
        .. from directory in Directory.EnumerateDirectories(_root).Order(StringComparer.Ordinal)
           let name = ClusterName.TryParse(Path.GetFileName(directory), out var name) ? name : null
           where name is not null
           select name,
    ];

    public KindState? Read(ClusterName cluster) => ReadText(StateOf(cluster)) is { } text ? KindState.Parse(text, StateOf(cluster)) : null;
    public void Write(ClusterName cluster, KindState state) => Write(StateOf(cluster), state.ToJson());

    public void Remove(ClusterName cluster)
    {
        var directory = DirectoryOf(cluster);
        if (Directory.Exists(directory)) OnDisk(directory, () => Directory.Delete(directory, recursive: true));
        if (ReadAddresses() is { } addresses) WriteAddresses(addresses.Without(cluster));
    }

    /// <summary>
    /// The addresses that earlier runs assigned; null for none. Those of a cluster are in its own state; the lock file adds those of
    /// clusters that do not exist yet.
    /// </summary>
    public AddressLock? ReadAddresses()
    {
        var kept = ReadText(LockFile) is { } text ? AddressLock.Parse(text, LockFile) : null;
        var made = Clusters().Select(AddressesOf).OfType<ClusterAddresses>().ToDictionary(addresses => addresses.Cluster);
        if (kept is null && made.Count == 0) return null;
        var order = (kept?.Clusters ?? []).Select(cluster => made.GetValueOrDefault(cluster.Cluster, cluster)).ToList();
        return new AddressLock { Clusters = [.. order,
            .. made.Values.Where(one => order.TrueForAll(other => other.Cluster != one.Cluster))] };
    }

    public void WriteAddresses(AddressLock addresses) => Write(LockFile, addresses.ToJson(), secret: false);
    public MergedContexts ReadMerged() => ReadText(MergedFile) is { } text ? MergedContexts.Parse(text, MergedFile) : MergedContexts.None;

    public void WriteMerged(MergedContexts merged)
    {
        if (merged.Contexts.Count > 0 || File.Exists(MergedFile)) Write(MergedFile, merged.ToJson());
    }

    public static void Write(string path, string text, bool secret = true) => new OutputFile(path, text, secret).Write();

    /// <summary>Locks the kind clusters of this work directory against other runs until it is disposed.</summary>
    public async Task<IDisposable> LockAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        var path = Path.Combine(_root, ".lock");
        try
        {
            AtomicFile.CreateDirectory(_root, secret: true);
            return await FileLock.TakeAsync(path, LockTimeout, Held, time, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            throw DiskFault.From(Stage.ClusterCreation, path, e);
        }

        MeshTrustException Held() => new(Stage.ClusterCreation, new Problem("MT2320", _root,
            "Another run is using the kind clusters of this work directory.",
            "Wait for it to finish or stop it, and run again; or use another work directory with --work-dir."));
    }

    private ClusterAddresses? AddressesOf(ClusterName cluster)
    {
        try
        {
            return Read(cluster)?.Addresses;
        }
        catch (MeshTrustException e) when (e.Problems[0].Id == ProblemCodes.StateUnreadable)
        {
            // Reported with the verdict on that cluster; it does not stop a run that does not use it.
            return null;
        }
    }

    private static string? ReadText(string path)
    {
        string? text = null;
        OnDisk(path, () => text = File.Exists(path) ? File.ReadAllText(path) : null);
        return text;
    }

    /// <summary>Works on a file or directory; an I/O error becomes a problem that names it.</summary>
    internal static void OnDisk(string path, Action work, Stage stage = Stage.ClusterCreation)
    {
        try
        {
            work();
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            throw DiskFault.From(stage, path, e);
        }
    }
}
