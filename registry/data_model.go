package registry

// DataModel says whether the registry holds the contacts of a TLD's domains. Stored.
type DataModel uint8

// The models.
const (
	DataModelThick        DataModel = 0 // domains have contacts
	DataModelThin         DataModel = 1 // contacts are kept by the registrars
	DataModelPerRegistrar DataModel = 2 // as the record of the registrar says
)

// String returns the model as policies name it.
func (m DataModel) String() string {
	switch m {
	case DataModelThin:
		return "thin"
	case DataModelPerRegistrar:
		return "per-registrar"
	default:
		return "thick"
	}
}

// ParseDataModel is the inverse of String.
func ParseDataModel(text string) (DataModel, error) {
	for _, m := range []DataModel{DataModelThick, DataModelThin, DataModelPerRegistrar} {
		if m.String() == text {
			return m, nil
		}
	}
	return 0, &Error{Code: CodeParameterSyntax, Field: "data_model", Value: text, Reason: "a data model is thick, thin or per-registrar"}
}
