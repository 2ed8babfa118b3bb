namespace MeshTrust.Settings;

/// <summary>A value that an argument or a variable gave, and where.</summary>
internal sealed record Given<T>(T Value, string Location, bool IsArgument);
