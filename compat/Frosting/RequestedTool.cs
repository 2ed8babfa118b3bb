namespace Cake.Frosting;

/// <summary>A tool that the host installs before any task runs.</summary>
internal sealed record RequestedTool(Uri Uri);
