using System.Text;

namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>
/// Finds etcd and kube-apiserver where envtest, setup-envtest and people keep them. The order: a path that is given, <c>TEST_ASSET_*</c>,
/// <c>KUBEBUILDER_ASSETS</c>, a directory that is given, the store of setup-envtest (newest version that does), <c>PATH</c>,
/// <c>/usr/local/kubebuilder/bin</c>. What is there and does not run, or is of another version than was asked for, is told and passed over.
/// </summary>
public static class BinaryLocator
{
    /// <summary>The binaries that are found first, each asked for its version.</summary>
    /// <exception cref="MeshTrustException">MT2101 with everything that was tried, stage ClusterCreation.</exception>
    public static ControlPlaneBinaries Find(BinaryRequest request) => Search(request, out var problem) ?? throw new MeshTrustException(Stage.ClusterCreation, problem!);

    /// <summary>As <see cref="Find"/>, with null where something is missing.</summary>
    public static ControlPlaneBinaries? TryFind(BinaryRequest request) => Search(request, out _);

    private static ControlPlaneBinaries? Search(BinaryRequest request, out Problem? problem)
    {
        ArgumentNullException.ThrowIfNull(request);
        var places = new BinaryPlaces(request, ControlPlanePlatform.Current);
        var server = Look("kube-apiserver", places.For("kube-apiserver", request.ApiServer), request.Version);
        var etcd = Look("etcd", places.For("etcd", request.Etcd, server.Location?.Directory), null);
        var kubectl = places.For("kubectl", request.Kubectl, server.Location?.Directory).FirstOrDefault(place => File.Exists(place.Path) || place.IsLast);
        var missing = new List<(string Program, IReadOnlyList<string> Tried)>();
        if (server.Version is null) missing.Add(("kube-apiserver", server.Tried));
        if (etcd.Version is null) missing.Add(("etcd", etcd.Tried));
        if (kubectl is { IsLast: true } && !File.Exists(kubectl.Path)) missing.Add(("kubectl", [$"{kubectl.Where}: {kubectl.Path} does not exist"]));
        if (missing.Count > 0)
        {
            problem = Missing(missing, request.Version);
            return null;
        }

        problem = null;
        return new ControlPlaneBinaries
        {
            ApiServer = server.Location!.Path!,
            Etcd = etcd.Location!.Path!,
            Kubectl = kubectl?.Path,
            Source = etcd.Location.Directory == server.Location.Directory && server.Location.Directory is not null ? server.Location.Where : $"{server.Location.Where}; etcd: {etcd.Location.Where}",
            Version = server.Version!,
            EtcdVersion = etcd.Version!,
        };
    }

    private static (BinaryPlace? Location, string? Version, IReadOnlyList<string> Tried) Look(string program, IEnumerable<BinaryPlace> places, VersionRange? range)
    {
        var tried = new List<string>();
        foreach (var place in places)
        {
            var (version, reason) = place.Path is null ? (null, place.Missing) : BinaryVersions.Ask(place.Path, program);
            if (version is not null && (range is null || Fits(range, version))) return (place, version, tried);
            tried.Add($"{place.Where}: {reason ?? $"{place.Path} is {version}, and {range} was asked for"}");
        }

        return (null, null, tried);
    }

    // What is found is taken as it is where no version was asked for, be it a prerelease or a distribution's own build.
    private static bool Fits(VersionRange range, string version) =>
        ReferenceEquals(range, VersionRange.Any) || (KubernetesVersion.TryParse(version) is { } parsed && range.Contains(parsed));

    private static Problem Missing(List<(string Program, IReadOnlyList<string> Tried)> missing, VersionRange range)
    {
        var text = new StringBuilder($"{string.Join(" and ", missing.Select(m => m.Program))} {(missing.Count == 1 ? "was" : "were")} not found.");
        foreach (var (program, tried) in missing)
        {
            text.AppendLine().Append(program).Append(", tried:");
            for (var i = 0; i < tried.Count; i++) text.AppendLine().Append("  ").Append(i + 1).Append(". ").Append(tried[i]);
        }

        var version = ReferenceEquals(range, VersionRange.Any) ? "" : $" {range}";
        text.AppendLine();
        return new Problem("MT2101", "control plane binaries",
            text.ToString(),
            $"Run the target ControlPlaneBinaries or 'setup-envtest use{version}', or point KUBEBUILDER_ASSETS at a directory with etcd and kube-apiserver. Without them, --provider=embedded needs nothing installed.");
    }
}
