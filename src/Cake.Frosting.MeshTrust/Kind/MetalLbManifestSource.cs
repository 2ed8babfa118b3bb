using System.Security.Cryptography;
using MeshTrust;
using MeshTrust.IO;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>
/// Where MetalLB's manifest comes from: a file, or an https address with a pinned SHA-256. A fetched manifest is cached by its digest, so
/// that the next run needs no network.
/// </summary>
internal sealed class MetalLbManifestSource(LoadBalancerSpec spec, string directory, Func<HttpClient> client, TimeProvider time)
{
    private const int LargestManifest = 4 * 1024 * 1024;
    private const int Tries = 3;

    /// <summary>The SHA-256 of config/manifests/metallb-native.yaml at the tags of github.com/metallb/metallb.</summary>
    private static readonly Dictionary<string, string> Releases = new()
    {
        ["v0.16.1"] = "bf25feebb7582ca7df845efd52ffbc2960d6cbf4cfc972f47fded9f788b67f0b",
    };

    internal static string ReleaseAddress(string version) =>
        $"https://raw.githubusercontent.com/metallb/metallb/{version}/config/manifests/metallb-native.yaml";

    internal Task<MetalLbManifest> GetAsync(CancellationToken cancellationToken) =>
        spec.Manifest is null ? FetchAsync(ReleaseAddress(spec.Version), spec.ManifestSha256 ?? Releases.GetValueOrDefault(spec.Version),
            cancellationToken)
        : spec.Manifest.Contains("://", StringComparison.Ordinal) ? FetchAsync(spec.Manifest, spec.ManifestSha256, cancellationToken)
        : Task.FromResult(ReadFile(spec.Manifest));

    private MetalLbManifest ReadFile(string path)
    {
        byte[] content;
        try
        {
            content = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw LoadBalancerFault.New("MT4011", path, $"MetalLB's manifest cannot be read: {e.Message.TrimEnd('.')}.",
                "Correct --metallb-manifest (loadBalancer.manifest).");
        }

        return new MetalLbManifest(Path.GetFullPath(path), Checked(path, content, spec.ManifestSha256));
    }

    private async Task<MetalLbManifest> FetchAsync(string address, string? pinned, CancellationToken cancellationToken)
    {
        if (pinned is null || !address.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
        {
            throw LoadBalancerFault.New("MT4012", address, pinned is null
                    ? $"Its SHA-256 is not pinned; MeshTrust knows those of {string.Join(", ", Releases.Keys)}. An unverified manifest " +
                    "could run anything in the clusters." : "It is not an https address.",
                "Read the manifest, then pin it with --metallb-sha256 (loadBalancer.manifestSha256); or use a file with " +
                    "--metallb-manifest.");
        }

        pinned = pinned.ToLowerInvariant();
        var kept = Path.Combine(directory, $"metallb-{pinned}.yaml");
        if (!IsKept(kept, pinned))
        {
            var content = await DownloadAsync(address, cancellationToken).ConfigureAwait(false);
            Checked(address, content, pinned);
            KindStates.OnDisk(kept, () =>
            {
                Directory.CreateDirectory(directory);
                AtomicFile.Replace(kept, content, secret: false);
            }, Stage.LoadBalancer);
        }

        return new MetalLbManifest(kept, pinned);
    }

    private static string Checked(string place, byte[] content, string? pinned)
    {
        var digest = Convert.ToHexStringLower(SHA256.HashData(content));
        return pinned is null || pinned.Equals(digest, StringComparison.OrdinalIgnoreCase) ? digest : throw LoadBalancerFault.New("MT4013",
            place,
            $"The manifest does not match the pinned one: its SHA-256 is {digest}, expected {pinned}. It was not used.",
                "Find out why it changed. If the change is legitimate, pin the new digest with --metallb-sha256.");
    }

    private static bool IsKept(string path, string pinned)
    {
        try
        {
            return Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))) == pinned;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private async Task<byte[]> DownloadAsync(string address, CancellationToken cancellationToken)
    {
        using var http = client();
        http.MaxResponseContentBufferSize = LargestManifest;
        for (var tries = 1; ; tries++)
        {
            string fault;
            try
            {
                using var response = await http.GetAsync(new Uri(address), cancellationToken).ConfigureAwait(false);
                if (response.IsSuccessStatusCode)
                    return await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
                fault = $"the server answered {(int)response.StatusCode}";
                if ((int)response.StatusCode is < 500 and not 429) tries = Tries;
            }
            catch (HttpRequestException e)
            {
                fault = LoadBalancerFault.Words(e.Message);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                fault = $"no answer within {http.Timeout.TotalSeconds:0} s";
            }

            if (tries >= Tries)
            {
                throw LoadBalancerFault.New("MT4014", address, $"MetalLB's manifest cannot be fetched: {fault}.",
                    "Download it on another machine and pass the file with --metallb-manifest; or disable load balancers: " +
                    "--lb=none.");
            }

            await Task.Delay(TimeSpan.FromSeconds(tries), time, cancellationToken).ConfigureAwait(false);
        }
    }
}

/// <summary>MetalLB's manifest: a file of this machine whose content is known.</summary>
internal sealed record MetalLbManifest(string Path, string Sha256);
