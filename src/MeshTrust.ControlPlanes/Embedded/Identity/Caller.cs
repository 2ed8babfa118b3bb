using MeshTrust.ControlPlanes.Identity;

namespace MeshTrust.ControlPlanes.Embedded.Identity;

/// <summary>Who sends a request.</summary>
internal sealed record Caller(string Name, IReadOnlyList<string> Groups)
{
    public const string Unauthenticated = "system:unauthenticated";

    public static readonly Caller Anonymous = new("system:anonymous", [Unauthenticated]);

    public bool IsAdministrator => Groups.Contains(ServerIdentity.AdministratorGroup);

    public bool IsAuthenticated => !Groups.Contains(Unauthenticated);
}
