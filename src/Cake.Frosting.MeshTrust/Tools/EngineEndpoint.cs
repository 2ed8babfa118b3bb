using System.Net;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>The address of an engine.</summary>
internal static class EngineEndpoint
{
    /// <summary>Whether it is another machine's: sockets and pipes are of this one, and so is a host that is called as this one is.</summary>
    public static bool IsRemote(string endpoint, string machine)
    {
        if (!Uri.TryCreate(endpoint, UriKind.Absolute, out var address) || address.Scheme is "unix" or "npipe" or "fd" or "file") return false;
        var host = address.Host.Trim('[', ']');
        return host.Length > 0
            && !string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase)
            && !string.Equals(host, machine, StringComparison.OrdinalIgnoreCase)
            && !(IPAddress.TryParse(host, out var ip) && IPAddress.IsLoopback(ip));
    }
}
