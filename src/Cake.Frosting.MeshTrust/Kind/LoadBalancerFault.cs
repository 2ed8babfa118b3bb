using MeshTrust;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>Faults of load balancers: ids MT4010 to MT4039, all of <see cref="Stage.LoadBalancer"/>.</summary>
internal static class LoadBalancerFault
{
    internal static MeshTrustException New(string id, string place, string what, string remedy) =>
        new(Stage.LoadBalancer, new Problem(id, place, what, remedy));

    /// <summary>A fault of an API server that came up while a load balancer was made.</summary>
    internal static MeshTrustException Of(MeshTrustException fault) => fault.Stage == Stage.LoadBalancer ? fault : new(Stage.LoadBalancer, fault.Problems, fault);

    /// <summary>A program's words on one line, short.</summary>
    internal static string Words(string text)
    {
        var line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).TrimEnd('.');
        return line.Length <= 400 ? line : $"{line[..400]}...";
    }
}
