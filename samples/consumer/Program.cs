using Cake.Frosting;
using Cake.Frosting.MeshTrust;

return new CakeHost().UseMeshTrust().Run(args);
