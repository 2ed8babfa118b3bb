namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>Whether kind clusters can be made on this machine.</summary>
/// <param name="IsThere">Whether kind is on the PATH and a container engine answers.</param>
/// <param name="Reason">A clause for people: <c>docker 28.2.2 answers and kind is there</c>, <c>kind is not on the PATH</c>.</param>
public sealed record KindAvailability(bool IsThere, string Reason);
