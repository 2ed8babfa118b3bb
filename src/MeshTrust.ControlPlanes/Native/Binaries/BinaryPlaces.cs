using System.Text.RegularExpressions;

namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>The places where a program may lie, in the order in which they count.</summary>
internal sealed partial class BinaryPlaces(BinaryRequest request, ControlPlanePlatform platform)
{
    private const string Default = "/usr/local/kubebuilder/bin";

    private readonly IReadOnlyDictionary<string, string> _environment = request.Environment ?? OfThisProcess();

    /// <summary>
    /// The places for one program. <paramref name="sibling"/> is the directory where kube-apiserver was found: what lies beside it was built for it,
    /// so it comes before everything but a path that was given for this very program.
    /// </summary>
    public IEnumerable<BinaryPlace> For(string program, string? option, string? sibling = null)
    {
        if (option is not null)
        {
            yield return new BinaryPlace($"the path that was given for {program}", Path.GetFullPath(option), IsLast: true);
            yield break;
        }

        var file = platform.FileName(program);
        var variable = $"TEST_ASSET_{NotUpperCase().Replace(program.ToUpperInvariant(), "_")}";
        yield return Variable(variable) is { } asset ? new($"{variable}={asset}", Path.GetFullPath(asset)) : new(variable, Missing: "not set");
        if (sibling is not null) yield return new("beside kube-apiserver", Path.Combine(sibling, file), sibling);
        yield return Variable("KUBEBUILDER_ASSETS") is { } assets ? InDirectory($"KUBEBUILDER_ASSETS={assets}", assets, file) : new("KUBEBUILDER_ASSETS", Missing: "not set");
        if (request.Directory is { } directory) yield return InDirectory($"directory {directory}", directory, file);
        foreach (var place in InStore(file)) yield return place;
        var onPath = OnPath(file).ToList();
        foreach (var path in onPath) yield return new("PATH", path, Path.GetDirectoryName(path));
        if (onPath.Count == 0) yield return new("PATH", Missing: $"no {file}");
        if (platform.Os != "windows") yield return InDirectory(Default, Default, file);
    }

    private static BinaryPlace InDirectory(string where, string directory, string file)
    {
        var full = Path.GetFullPath(directory);
        return new(where, Path.Combine(full, file), full);
    }

    private IEnumerable<BinaryPlace> InStore(string file)
    {
        if ((request.StoreDirectory ?? BinaryStore.DefaultDirectory(_environment, platform)) is not { } root)
        {
            yield return new("setup-envtest store", Missing: platform.Os == "windows" ? "LocalAppData is not set" : "HOME is not set");
            yield break;
        }

        var store = new BinaryStore(root, platform);
        var versions = store.Versions();
        var fitting = versions.Where(request.Version.Contains).ToList();
        foreach (var version in fitting)
        {
            var where = $"setup-envtest store {version}-{platform}";
            var directory = store.PathOf(version);
            yield return store.Has(version) ? InDirectory(where, directory, file) : new(where, Missing: $"{directory} is not complete: a download into it was cut off, or still goes on");
        }

        var found = versions.Count == 0 ? "found: none" : $"found: {string.Join(", ", versions)}";
        if (fitting.Count == 0) yield return new("setup-envtest store", Missing: $"{store.Directory}: no {platform} directory matches {request.Version} ({found})");
    }

    private IEnumerable<string> OnPath(string file) =>
        from directory in (Variable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        where Path.IsPathRooted(directory)
        let path = Path.Combine(directory, file)
        where File.Exists(path)
        select path;

    private string? Variable(string name) => _environment.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;

    /// <summary>The variables of this process.</summary>
    public static Dictionary<string, string> OfThisProcess()
    {
        var variables = new Dictionary<string, string>(OperatingSystem.IsWindows() ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal);
        foreach (System.Collections.DictionaryEntry variable in System.Environment.GetEnvironmentVariables()) variables[(string)variable.Key] = (string?)variable.Value ?? "";
        return variables;
    }

    [GeneratedRegex("[^A-Z0-9]+")]
    private static partial Regex NotUpperCase();
}
