using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>The index that setup-envtest reads: <c>releases: v1.32.0: envtest-v1.32.0-linux-amd64.tar.gz: {hash, selfLink}</c>.</summary>
internal static partial class ArchiveIndex
{
    /// <summary>Where it is kept.</summary>
    public static readonly Uri Default = new("https://raw.githubusercontent.com/kubernetes-sigs/controller-tools/HEAD/envtest-releases.yaml");

    /// <summary>The archives of a platform, newest first. What is no archive, or has no SHA-512 and address, is passed over.</summary>
    /// <param name="text">The document.</param>
    /// <param name="source">Where it came from: relative addresses count from there.</param>
    /// <param name="platform">Whose archives are wanted.</param>
    /// <exception cref="FormatException">It is no such index.</exception>
    public static IReadOnlyList<BinaryArchive> Parse(string text, Uri source, ControlPlanePlatform platform)
    {
        var found = new List<BinaryArchive>();
        foreach (var (version, entries) in Releases(text))
        {
            if (KubernetesVersion.TryParse(version) is not { } number || entries is not YamlMappingNode archives) continue;
            foreach (var (name, entry) in archives.Children)
            {
                if (name is not YamlScalarNode { Value: { } file } || file != BinaryArchive.FileName(number, platform)) continue;
                if (Text(entry, "hash") is not { } hash || !Sha512().IsMatch(hash) || !Uri.TryCreate(source, Text(entry, "selfLink") ?? file, out var address)) continue;
                found.Add(new BinaryArchive(number, platform, hash.ToLowerInvariant(), address, IsPinned: false));
            }
        }

        return [.. found.OrderByDescending(archive => archive.Version)];
    }

    private static IEnumerable<(string? Version, YamlNode Entries)> Releases(string text)
    {
        var yaml = new YamlStream();
        try
        {
            yaml.Load(new StringReader(text));
        }
        catch (YamlException e)
        {
            throw new FormatException($"it is not YAML (line {e.Start.Line})");
        }

        return yaml.Documents is [{ RootNode: YamlMappingNode root }, ..] && root.Children.TryGetValue("releases", out var releases) && releases is YamlMappingNode map
            ? map.Children.Select(child => ((child.Key as YamlScalarNode)?.Value, child.Value))
            : throw new FormatException("it has no releases");
    }

    private static string? Text(YamlNode node, string key) =>
        node is YamlMappingNode map && map.Children.TryGetValue(key, out var value) && value is YamlScalarNode { Value.Length: > 0 } scalar ? scalar.Value : null;

    [GeneratedRegex(@"^[0-9a-fA-F]{128}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Sha512();
}
