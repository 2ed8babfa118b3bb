namespace Cake.Frosting;

/// <summary>A setting that the build program was compiled with.</summary>
internal sealed record CakeSetting(string Key, string Value);
