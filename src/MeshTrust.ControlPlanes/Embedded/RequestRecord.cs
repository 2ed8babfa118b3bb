namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>One request that a server saw. It never holds a body or a header.</summary>
/// <param name="Method">The HTTP method.</param>
/// <param name="Path">The path without the query.</param>
/// <param name="Query">The query with its leading question mark, or an empty text.</param>
/// <param name="Status">The answered status code; 0 where the connection was dropped instead.</param>
/// <param name="User">The authenticated user, <c>system:anonymous</c>, or an empty text where authentication failed.</param>
public sealed record RequestRecord(string Method, string Path, string Query, int Status, string User);
