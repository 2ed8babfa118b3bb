using System.Globalization;
using System.Text.RegularExpressions;

namespace MeshTrust.Kubeconfig;

/// <summary>
/// The Kubernetes versions that Istio's supported releases list. Source: istio.io, "Supported Releases" (data/compatibility/supportStatus.yml of
/// istio/istio.io) and the announcements of 1.29 to 1.31, as of September 2026. A version that is not here is told, never judged by guess.
/// </summary>
public static partial class KubernetesVersionSupport
{
    private static readonly (string Istio, int Oldest, int Newest)[] Releases =
    [
        ("1.31", 32, 37),
        ("1.30", 32, 36),
        ("1.29", 31, 35),
    ];

    /// <summary>When the table was read, for messages.</summary>
    public const string AsOf = "2026-09";

    /// <summary>What is to be said about a cluster's version.</summary>
    /// <param name="cluster">The cluster's name, for the message.</param>
    /// <param name="gitVersion">The server's <c>gitVersion</c>.</param>
    /// <returns>A warning (MT3020 older, MT3021 newer, MT3022 unreadable); null where a supported release of Istio lists it.</returns>
    public static Problem? Judge(string cluster, string gitVersion)
    {
        ArgumentNullException.ThrowIfNull(gitVersion);
        var match = Version().Match(gitVersion);
        if (!match.Success)
            return New("MT3022", cluster, "The server's version is not in the form v1.x.y, so it cannot be compared with what Istio supports.", "See istio.io, Supported Releases, for this distribution.");
        var minor = int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture);
        if (match.Groups[1].Value == "1" && Releases.Any(r => minor >= r.Oldest && minor <= r.Newest)) return null;
        var listed = string.Join(", ", Releases.Select(r => $"Istio {r.Istio}: 1.{r.Oldest} to 1.{r.Newest}"));
        var older = match.Groups[1].Value == "1" && minor < Releases.Min(r => r.Oldest);
        return New(
            older ? "MT3020" : "MT3021",
            cluster,
            $"Kubernetes {gitVersion} is {(older ? "older" : "newer")} than what supported releases of Istio list ({listed}; as of {AsOf}).",
            older ? "The secrets work all the same; upgrade the cluster before you rely on Istio there." : "See istio.io, Supported Releases: a newer Istio may list it by now.");
    }

    private static Problem New(string id, string place, string what, string remedy) =>
        new(id, place, what, remedy, Severity.Warning);

    [GeneratedRegex(@"^v?(\d{1,3})\.(\d{1,3})(\D|$)")]
    private static partial Regex Version();
}
