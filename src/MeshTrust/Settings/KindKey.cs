namespace MeshTrust.Settings;

/// <summary>A key of a file that concerns kind clusters alone.</summary>
/// <param name="Path">The key with those above it, such as <c>loadBalancer.type</c> or <c>clusters[].workers</c>.</param>
/// <param name="Location">Where it stands first, as <c>file:line</c>.</param>
internal sealed record KindKey(string Path, string Location);
