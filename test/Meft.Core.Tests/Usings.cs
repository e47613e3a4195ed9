global using Meft.TestSupport.Gguf;
global using Xunit;
