using Cake.Core.IO;

namespace Cake.Frosting;

/// <summary>The working directory that the build program was compiled with.</summary>
internal sealed record RequestedWorkingDirectory(DirectoryPath Path);
