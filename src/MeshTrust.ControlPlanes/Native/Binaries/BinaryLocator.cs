using System.Text;
using System.Text.RegularExpressions;

namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>The requested programs, and where to search for them.</summary>
internal sealed record BinaryRequest
{
    /// <summary>Which versions of kube-apiserver do.</summary>
    public VersionRange Version { get; init; } = VersionRange.Any;

    /// <summary>The store that is shared with Go's setup-envtest; null for where setup-envtest keeps it on this platform.</summary>
    public string? StoreDirectory { get; init; }

    /// <summary>The variables to read; null for those of this process.</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }
}

/// <summary>
/// Finds etcd and kube-apiserver where envtest, setup-envtest and people keep them. The order: <c>TEST_ASSET_*</c>,
/// <c>KUBEBUILDER_ASSETS</c>, the store of setup-envtest (newest version that does), <c>PATH</c>, <c>/usr/local/kubebuilder/bin</c>. What
/// is there and does not run, or is of another version than was requested, is named in the message and skipped.
/// </summary>
internal static partial class BinaryLocator
{
    private const string DefaultDirectory = "/usr/local/kubebuilder/bin";

    /// <summary>The binaries found first, with their versions.</summary>
    /// <exception cref="MeshTrustException">MT2101 with everything that was tried, stage ClusterCreation.</exception>
    public static ControlPlaneBinaries Find(BinaryRequest request) =>
        Search(request, out var problem) ?? throw new MeshTrustException(Stage.ClusterCreation, problem!);

    /// <summary>As <see cref="Find"/>, with null if something is missing.</summary>
    public static ControlPlaneBinaries? TryFind(BinaryRequest request) => Search(request, out _);

    public static Dictionary<string, string> Variables()
    {
        var names = OperatingSystem.IsWindows() ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal;
        var variables = new Dictionary<string, string>(names);
        foreach (System.Collections.DictionaryEntry variable in Environment.GetEnvironmentVariables())
            variables[(string)variable.Key] = (string?)variable.Value ?? "";
        return variables;
    }

    private static ControlPlaneBinaries? Search(BinaryRequest request, out Problem? problem)
    {
        var server = Look("kube-apiserver", Places(request, "kube-apiserver"), request.Version);
        var etcd = Look("etcd", Places(request, "etcd", server.Place?.Directory), VersionRange.Any);
        if (server.Version is null || etcd.Version is null)
        {
            (string, Finding Finding)[] programs = [("kube-apiserver", server), ("etcd", etcd)];
            problem = Missing([.. programs.Where(program => program.Finding.Version is null)], request.Version);
            return null;
        }

        problem = null;
        var (apiServer, store) = (server.Place!, etcd.Place!);
        return new ControlPlaneBinaries
        {
            ApiServer = apiServer.Path!, Etcd = store.Path!, Version = server.Version, EtcdVersion = etcd.Version,
            Kubectl = Places(request, "kubectl", apiServer.Directory).FirstOrDefault(place => File.Exists(place.Path))?.Path,
            Source = apiServer.Directory is not null && apiServer.Directory == store.Directory
                ? apiServer.Where
                : $"{apiServer.Where}; etcd: {store.Where}",
        };
    }

    private static Finding Look(string program, IEnumerable<Place> places, VersionRange range)
    {
        var tried = new List<string>();
        foreach (var place in places)
        {
            var (version, reason) = place.Path is null ? (null, place.Missing) : ProgramVersion.Ask(place.Path, program);
            if (version is not null && Fits(range, version)) return new Finding(place, version, tried);
            tried.Add($"{place.Where}: {reason ?? $"{place.Path} is version {version}, but {range} was requested"}");
        }

        return new Finding(null, null, tried);
    }

    // If no version was requested, any version found is used, including a prerelease or a distribution's own build.
    private static bool Fits(VersionRange range, string version) =>
        ReferenceEquals(range, VersionRange.Any) || (KubernetesVersion.TryParse(version) is { } parsed && range.Contains(parsed));

    /// <summary>
    /// The places for one program, in order of priority. <paramref name="sibling"/> is the directory where kube-apiserver was found: a
    /// program next to it was built for it, so it comes before everything except a variable for this very program.
    /// </summary>
    private static IEnumerable<Place> Places(BinaryRequest request, string program, string? sibling = null)
    {
        var platform = ControlPlanePlatform.Current;
        var environment = request.Environment ?? Variables();
        var file = platform.FileName(program);
        var variable = $"TEST_ASSET_{NotUpperCase().Replace(program.ToUpperInvariant(), "_")}";
        yield return Value(variable) is { } asset ? new($"{variable}={asset}", Path.GetFullPath(asset)) : new(variable, Missing: "not set");
        if (sibling is not null) yield return Place.In("next to kube-apiserver", sibling, file);
        yield return Value("KUBEBUILDER_ASSETS") is { } assets
            ? Place.In($"KUBEBUILDER_ASSETS={assets}", assets, file)
            : new("KUBEBUILDER_ASSETS", Missing: "not set");
        foreach (var place in InStore(request, environment, platform, file)) yield return place;
        var onPath = (Value("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Where(directory => Path.IsPathRooted(directory) && File.Exists(Path.Combine(directory, file)))
            .ToList();
        foreach (var directory in onPath) yield return Place.In("PATH", directory, file);
        if (onPath.Count == 0) yield return new("PATH", Missing: $"no {file}");
        if (platform.Os != "windows") yield return Place.In(DefaultDirectory, DefaultDirectory, file);

        string? Value(string name) => environment.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;
    }

    private static IEnumerable<Place> InStore(
        BinaryRequest request, IReadOnlyDictionary<string, string> environment, ControlPlanePlatform platform, string file)
    {
        if ((request.StoreDirectory ?? BinaryStore.DefaultDirectory(environment, platform)) is not { } root)
        {
            yield return new("setup-envtest store", Missing: platform.Os == "windows" ? "LocalAppData is not set" : "HOME is not set");
            yield break;
        }

        var store = new BinaryStore(root, platform);
        var versions = store.Versions();
        var fitting = versions.Where(request.Version.Contains).ToList();
        foreach (var version in fitting)
        {
            var (where, directory) = ($"setup-envtest store {version}-{platform}", store.PathOf(version));
            yield return store.Has(version)
                ? Place.In(where, directory, file)
                : new(where, Missing: $"{directory} is incomplete: a download into it was interrupted, or is still running");
        }

        var found = versions.Count == 0 ? "none" : string.Join(", ", versions);
        if (fitting.Count == 0)
            yield return new("setup-envtest store",
                Missing: $"{store.Location}: no {platform} directory matches {request.Version} (found: {found})");
    }

    private static Problem Missing(List<(string Program, Finding Finding)> missing, VersionRange range)
    {
        var programs = string.Join(" and ", missing.Select(m => m.Program));
        var text = new StringBuilder($"{programs} {(missing.Count == 1 ? "was" : "were")} not found.");
        foreach (var (program, finding) in missing)
        {
            text.AppendLine().Append(program).Append(", tried:");
            foreach (var (number, reason) in finding.Tried.Index()) text.AppendLine().Append($"  {number + 1}. {reason}");
        }

        var version = ReferenceEquals(range, VersionRange.Any) ? "" : $" {range}";
        return new Problem("MT2101", "control plane binaries", text.AppendLine().ToString(),
            $"Run the target ControlPlaneBinaries or 'setup-envtest use{version}', or set KUBEBUILDER_ASSETS to a directory with etcd "
                + "and kube-apiserver. Or use --provider=embedded, which needs no installed programs.");
    }

    [GeneratedRegex("[^A-Z0-9]+")]
    private static partial Regex NotUpperCase();

    /// <summary>One place where a program may be.</summary>
    /// <param name="Where">For people: <c>KUBEBUILDER_ASSETS=/opt/kb</c>.</param>
    /// <param name="Path">The full path of the program; null if the place has none.</param>
    /// <param name="Directory">The directory of the place; null if it is a single file.</param>
    /// <param name="Missing">Why it has none, if <paramref name="Path"/> is null.</param>
    private sealed record Place(string Where, string? Path = null, string? Directory = null, string? Missing = null)
    {
        public static Place In(string where, string directory, string file)
        {
            var full = System.IO.Path.GetFullPath(directory);
            return new(where, System.IO.Path.Combine(full, file), full);
        }
    }

    private sealed record Finding(Place? Place, string? Version, IReadOnlyList<string> Tried);
}
